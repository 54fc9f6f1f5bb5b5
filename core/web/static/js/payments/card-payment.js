// <card-payment>: the card field of a form, or the bank's question about a payment.
//
// The card is typed into Stripe's own frame and never reaches us: what the form sends is a token.
// Attributes (all data-…, written by macros/payments.html):
//   script, key      the provider's script and the shop's publishable key
//   client-secret    present when the cardholder must answer the bank (3-D Secure)
//   incomplete, away what to say when the card is not complete, or the provider not reachable

const scripts = new Map();

// The provider's script, fetched once per page; it must come from its own origin, unbundled.
function provider(src) {
  if (!scripts.has(src)) {
    scripts.set(
      src,
      new Promise((done, fail) => {
        const script = document.createElement("script");
        script.src = src;
        script.onload = () => done(window.Stripe);
        script.onerror = () => {
          scripts.delete(src);
          script.remove();
          fail(new Error("unreachable"));
        };
        document.head.append(script);
      }),
    );
  }
  return scripts.get(src);
}

class CardPayment extends HTMLElement {
  async connectedCallback() {
    if (this.started) return;
    this.started = true;
    this.form = this.closest("form") ?? this.querySelector("form");
    try {
      const Stripe = await provider(this.dataset.script);
      this.stripe = Stripe(this.dataset.key, { locale: document.documentElement.lang || "auto" });
    } catch {
      this.say(this.dataset.away);
      return;
    }
    if (this.dataset.clientSecret) await this.answer();
    else this.mount();
  }

  mount() {
    this.card = this.stripe.elements().create("card", { hidePostalCode: true });
    this.card.on("change", (event) => this.say(event?.error?.message ?? ""));
    this.card.mount(this.querySelector("[data-card]"));
    this.form.addEventListener("submit", (event) => this.intercept(event), true);
    // Back from the next page: a token serves once.
    window.addEventListener("pageshow", () => (this.token.value = ""));
    this.dataset.ready = "";
  }

  get token() {
    return this.querySelector("input[type=hidden]");
  }

  intercept(event) {
    if (this.token.value) return;
    event.preventDefault();
    event.stopPropagation();
    if (!this.asking) this.tokenise(event.submitter);
  }

  async tokenise(button) {
    this.asking = true;
    this.say("");
    const { token, error } = await this.ask(() => this.stripe.createToken(this.card));
    this.asking = false;
    this.form.ariaBusy = null;
    button?.classList.remove("at-busy");
    if (!token) {
      this.say(error?.message || this.dataset.incomplete);
      return;
    }
    this.token.value = token.id;
    this.form.requestSubmit(button);
  }

  // Whatever the page is told, the server asks the provider how it went.
  async answer() {
    await this.ask(() => this.stripe.confirmCardPayment(this.dataset.clientSecret));
    this.form.requestSubmit();
  }

  async ask(call) {
    try {
      return await call();
    } catch {
      return {};
    }
  }

  say(message) {
    const box = this.querySelector("[data-error]");
    if (!box) return;
    box.textContent = message;
    box.hidden = !message;
    this.querySelector("[data-card]")?.classList.toggle("is-invalid", Boolean(message));
    if (message) this.querySelector("[data-card] input")?.focus();
  }
}

customElements.define("card-payment", CardPayment);
