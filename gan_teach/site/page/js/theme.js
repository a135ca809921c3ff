// Dark or light: as the system says, until the reader chooses. Not a module, so that nothing flashes.
// And the way to another language: to the section that is read now, which has the same name there.
(() => {
  const root = document.documentElement;
  const kept = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  if (kept) root.dataset.theme = kept;
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme")?.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* a private window keeps nothing */ }
    });
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".other"))) link.onclick = () => {
      const above = Array.from(document.querySelectorAll(".chapter :is(h1, h2, h3)[id]")).filter((heading) => heading.getBoundingClientRect().top < 120);
      link.hash = scrollY && above.length ? above[above.length - 1].id : location.hash;
    };
  });
})();
