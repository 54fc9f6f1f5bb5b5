// What could not be sent yet, on this device: one record for each thing, the newest of it.
// A record is {of: inspection, what: "fields" | "damage:ID" | "picture:VIEW" | …, made, …}.
const STORE = "unsent";

const opened = new Promise((resolve, reject) => {
  const request = indexedDB.open("atrium-inspections", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: ["of", "what"] });
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function within(mode, work) {
  const database = await opened;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode);
    const request = work(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

let count = Date.now();

export const device = {
  keep: (record) => within("readwrite", (store) => store.put({ ...record, made: ++count })),
  all: (of) => within("readonly", (store) => store.getAll(IDBKeyRange.bound([of], [of, []]))),
  drop: (record) => within("readwrite", (store) => store.delete([record.of, record.what])),
  // Only if nothing newer took its place while it was sent.
  async sent(record) {
    const present = await within("readonly", (store) => store.get([record.of, record.what]));
    if (present?.made === record.made) await this.drop(record);
  },
};
