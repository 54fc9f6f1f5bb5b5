// The bell: how much is unread, told by server-sent events, and a panel with the newest. One tab
// of a browser listens and tells the others; without script the bell is a link to the page.
import { toast } from "../toast.js";

const MOST = 99;
// Milliseconds after which a stream that was refused or has given way is asked for again: twice as
// long each time, since a page may stay open for days after its session has ended.
const AGAIN_AFTER = 30_000;
const AGAIN_AT_LAST = 1_800_000;

customElements.define(
  "at-bell",
  class extends HTMLElement {
    connectedCallback() {
      this.link = this.querySelector(":scope > a");
      this.panel = this.querySelector(":scope > .at-menu-panel");
      this.link.setAttribute("aria-expanded", "false");
      this.link.addEventListener("click", (event) => this.open(event));
      this.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || this.panel.hidden) return;
        this.show(false);
        this.link.focus();
      });
      this.addEventListener("focusout", (event) => {
        if (event.relatedTarget && !this.contains(event.relatedTarget)) this.show(false);
      });
      this.left = new AbortController();
      const { signal } = this.left;
      const outside = (event) => this.contains(event.target) || this.show(false);
      document.addEventListener("pointerdown", outside, { signal });
      this.listen(signal);
    }

    disconnectedCallback() {
      this.left.abort();
    }

    open(event) {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      this.show(this.panel.hidden);
    }

    show(open) {
      this.panel.hidden = !open;
      this.link.setAttribute("aria-expanded", String(open));
      if (open) this.panel.dispatchEvent(new Event("bell:open"));
    }

    // Browsers open few connections to a host: one stream serves all tabs.
    listen(signal) {
      this.tabs = new BroadcastChannel("at-bell");
      this.tabs.onmessage = ({ data }) => this.heard(data);
      signal.addEventListener("abort", () => this.tabs.close());
      if (!navigator.locks) {
        this.follow(signal);
        return;
      }
      this.tabs.postMessage({ ask: true });
      navigator.locks
        .request("at-bell", { signal }, () => this.follow(signal))
        .catch((problem) => {
          if (problem.name !== "AbortError") throw problem;
        });
    }

    follow(signal) {
      return new Promise((leave) => {
        let wait = AGAIN_AFTER;
        let stream;
        const again = () => {
          stream.close();
          setTimeout(() => signal.aborted || ask(), wait);
          wait = Math.min(2 * wait, AGAIN_AT_LAST);
        };
        const ask = () => {
          stream = new EventSource(this.dataset.source);
          stream.addEventListener("standing", ({ data }) => {
            wait = AGAIN_AFTER;
            this.last = { ...JSON.parse(data), news: [] };
            this.tabs.postMessage(JSON.parse(data));
            this.hear(JSON.parse(data));
          });
          stream.addEventListener("over", again);
          // After a stream that has ended, browsers ask again by themselves; after an error, never.
          stream.addEventListener("error", () => stream.readyState === EventSource.CLOSED && again());
        };
        ask();
        signal.addEventListener("abort", () => {
          stream.close();
          leave();
        });
      });
    }

    heard(data) {
      if (!data.ask) this.hear(data);
      else if (this.last) this.tabs.postMessage(this.last);
    }

    hear({ unread, news, quiet }) {
      const count = this.querySelector("[data-count]");
      count.textContent = unread > MOST ? `${MOST}+` : String(unread);
      count.hidden = !unread;
      if (!news.length) return;
      if (!this.panel.hidden) this.panel.dispatchEvent(new Event("bell:open"));
      if (quiet || document.visibilityState !== "visible") return;
      for (const each of news) toast(each.text);
    }
  },
);
