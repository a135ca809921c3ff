// Search in the sections of all chapters; what it needs is loaded when somebody first types.
import { element, text } from "./page.js";

const MOST = 12, AROUND = 90;
/** @typedef {{ id: number, at: string, title: string, chapter: string, text: string }} Section */
/** @type {Promise<any> | undefined} */
let loading;
let failures = 0;                                        // in the library's address: a browser keeps a module that failed
/** @type {Section[]} */
let sections;

async function load() {
  const [library, answer] = await Promise.all([import(`./minisearch.js${failures ? `?${failures}` : ""}`), fetch("chapters/sections.json")]);
  sections = await answer.json();
  const index = new library.default({ fields: ["title", "chapter", "text"], tokenize: words,
    searchOptions: { prefix: true, combineWith: "AND", boost: { title: 4, chapter: 2 },
                     fuzzy: (/** @type {string} */ term) => term.length > 4 ? 0.2 : false } });
  index.addAll(sections);
  return index;
}

/** Words; Chinese has no spaces, so there each sign is one with the next. @param {string} text */
const words = (text) => Array.from(text.matchAll(/(\p{Script=Han})(?=(\p{Script=Han}?))|[^\p{Script=Han}\p{Z}\p{P}\s]+/gu),
  ([word, sign, next]) => sign ? sign + next : word);

/** The words around the first that was found. @param {string} text @param {string[]} terms */
function around(text, terms) {
  const at = Math.max(0, Math.min(...terms.map((term) => text.toLowerCase().indexOf(term)).filter((i) => i >= 0), text.length) - AROUND / 2);
  return `${at ? "… " : ""}${text.slice(at, at + 2 * AROUND)}${at + 2 * AROUND < text.length ? " …" : ""}`;
}

element("query").oninput = async () => {
  const index = await (loading ??= load()).catch(() => null), query = element("query").value.trim();
  if (!index) {
    loading = undefined; failures++;
    element("searched").textContent = text("search_failed");
    return;
  }
  const hits = query ? index.search(query) : [];
  if (query !== element("query").value.trim()) return;
  element("searched").textContent = query ? text(hits.length ? "search_found" : "search_none", { query, n: hits.length }) : "";
  element("found").replaceChildren(...hits.slice(0, MOST).map((/** @type {any} */ { id, terms }) => {
    const { at, title, chapter, text } = sections[id], item = document.createElement("li"), link = document.createElement("a");
    Object.assign(link, { href: `chapters/${at}`, textContent: title === chapter ? title : `${title} · ${chapter}` });
    item.append(link, Object.assign(document.createElement("p"), { textContent: around(text, terms) }));
    return item;
  }));
};
