// The page around the panels; `stage` is what the command wrote: {language, steps, theme, themes, replay}.
const root = document.documentElement;
root.lang = stage.language;

// The page is made for 1280×720 and enlarged to fill what is there.
const fit = () => { root.style.zoom = Math.max(0.6, Math.min(innerWidth / 1280, innerHeight / 720)); };
addEventListener("resize", fit);
fit();

// While the kernel starts, a recording plays in the spinner's place, with a line that says so. Voilà sends a div after
// each cell, and the end of the page after the last: the step that runs now is named, with the seconds so far.
const naming = setInterval(() => {
  const loading = document.getElementById("loading");
  if (stage.replay && loading && !document.getElementById("gt-replay")) {
    const figure = document.createElement("figure"), said = document.createElement("figcaption");
    figure.id = "gt-replay";
    said.textContent = stage.replay.alt;
    figure.append(Object.assign(new Image(), { src: stage.replay.src, alt: "" }), said);
    loading.append(figure);
  }
  const done = document.querySelectorAll("[cell-index]").length;
  const text = document.getElementById("loading_text"), at = Math.max(0, done - 1), n = stage.steps.length;
  const seconds = Math.round(performance.now() / 1000);
  if (text && at < n) text.textContent = `${at + 1} / ${n}: ${stage.steps[at]} … ${seconds} s`;
  if (done > n) clearInterval(naming);
}, 200);

// What a screen reader needs and ipywidgets leaves out: the names of sliders, which are drawn anew with other limits.
const near = (it) => it.closest(".widget-vbox")?.innerText.trim().split("\n")[0] ?? document.title;
new MutationObserver(() => {
  for (const it of document.querySelectorAll(".noUi-handle:not([aria-label])")) {
    const name = it.closest(".widget-slider")?.querySelector("label")?.textContent || near(it);
    if (name) it.ariaLabel = name;                                     // where there is no word yet, with the next change
  }
}).observe(root, { childList: true, subtree: true });

// The theme is an attribute of the page, and nothing else remembers it.
const wear = (theme) => { root.dataset.theme = theme; };
const nextTheme = () => wear(stage.themes[(stage.themes.indexOf(root.dataset.theme) + 1) % stage.themes.length]);
wear(stage.theme);

const fill = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen());

// Which panel is shown is decided here: a kernel that is busy would be late.
const tabs = () => [...document.querySelectorAll(".gt-panels button")];
const reveal = (at) => document.querySelectorAll(".gt-stage > :not(:first-child)").forEach((panel, i) => {
  panel.style.display = i === at ? "" : "none";
});
addEventListener("click", (event) => {
  if (event.target.closest(".gt-theme")) nextTheme();
  if (event.target.closest(".gt-full")) fill();
  const at = tabs().indexOf(event.target.closest("button"));
  if (at >= 0) reveal(at);
}, true);

// Keys: T another theme; F the full screen, and back; R the panel's Reset; Page Down and Page Up, which a presenter's
// clicker sends, another panel.
const turn = (by) => tabs()[tabs().findIndex((tab) => tab.matches(".mod-active")) + by]?.click();
const reset = () => [...document.querySelectorAll("button[class*='-reset']")].find((it) => it.offsetParent)?.click();
const keys = { t: nextTheme, f: fill, PageDown: () => turn(1), PageUp: () => turn(-1), r: reset };
addEventListener("keydown", (event) => {
  const act = keys[event.key.length > 1 ? event.key : event.key.toLowerCase()];
  if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;           // who types is left alone
  event.preventDefault();
  act();
});
