// A photo made small enough to send from a car park, and a picture of it to show meanwhile.
const LONGEST = 1600;
const SHOWN = 320;

function drawn(bitmap, longest) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

const blobOf = (canvas) => new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.82));

// What the browser cannot read is sent as it is: the server says what is wrong with it.
export async function shrunk(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const blob = await blobOf(drawn(bitmap, LONGEST));
    const preview = drawn(bitmap, SHOWN).toDataURL("image/jpeg", 0.7);
    bitmap.close();
    return { blob: blob && blob.size < file.size ? blob : file, preview };
  } catch {
    return { blob: file, preview: "" };
  }
}

// A version 4 UUID; crypto.randomUUID is missing where the page came over plain http.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
