// A signature drawn with a finger, pen or mouse; tells its element when one is done.
customElements.define(
  "ch-signature",
  class extends HTMLElement {
    connectedCallback() {
      this.canvas = this.querySelector("canvas");
      this.pen = this.canvas.getContext("2d");
      this.clearing = this.querySelector("[data-clear]");
      this.canvas.hidden = Boolean(this.querySelector(".ch-signed"));
      this.clearing.hidden = !this.canvas.hidden;
      this.clearing.addEventListener("click", () => this.clear());
      this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
      this.canvas.addEventListener("pointermove", (event) => this.draw(event));
      for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => this.rest());
    }

    clear() {
      this.querySelector(".ch-signed")?.remove();
      this.canvas.hidden = false;
      this.clearing.hidden = true;
      this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    }

    place(event) {
      const box = this.canvas.getBoundingClientRect();
      return [((event.clientX - box.left) * this.canvas.width) / box.width, ((event.clientY - box.top) * this.canvas.height) / box.height];
    }

    begin(event) {
      event.preventDefault();
      this.canvas.setPointerCapture(event.pointerId);
      clearTimeout(this.timer);
      Object.assign(this.pen, { lineWidth: 3.5, lineCap: "round", lineJoin: "round", strokeStyle: "#14213d" });
      this.pen.beginPath();
      this.pen.moveTo(...this.place(event));
      this.drawing = true;
    }

    draw(event) {
      if (!this.drawing) return;
      this.pen.lineTo(...this.place(event));
      this.pen.stroke();
    }

    // Whoever signs lifts the pen between names: wait a little before it counts.
    rest() {
      if (!this.drawing) return;
      this.drawing = false;
      this.clearing.hidden = false;
      this.timer = setTimeout(() => this.done(), 700);
    }

    done() {
      const paper = document.createElement("canvas");
      paper.width = this.canvas.width;
      paper.height = this.canvas.height;
      const pen = paper.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, paper.width, paper.height);
      pen.drawImage(this.canvas, 0, 0);
      paper.toBlob((blob) => this.dispatchEvent(new CustomEvent("ch-signed", { bubbles: true, detail: { blob } })), "image/png");
    }
  },
);
