/* The badge on a page that is looked at by a preview link: what is shown, until when, and the way out of it.

   Loaded by client.js only where the address holds `mutiny_preview`; it reads what was answered from `mutinyEdge.preview`.
   It lives in a shadow root, so that neither the page's styles nor its selectors reach it. */
(() => {
  "use strict";
  const NAME = "mutiny-edge-preview";
  const STYLE = `
    :host { all: initial; position: fixed; z-index: 2147483647; left: 16px; bottom: 16px; max-width: calc(100vw - 32px); }
    p { display: flex; gap: 12px; align-items: center; margin: 0; padding: 10px 14px; border-radius: 10px;
        font: 14px/1.4 system-ui, sans-serif; color: #fff; background: #1b2430; box-shadow: 0 4px 18px #0006; }
    b { padding: 1px 8px; border-radius: 9px; background: #6b3fd4; } p.wrong b { background: #b3261e; }
    a { color: #b9d2ff; white-space: nowrap; }`;

  const local = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

  function words({ decisions, detail, ends }) {
    if (!decisions) return (detail || "This preview cannot be shown.").replace(/\d{4}-[\d-]+T[\d:.]+Z/, local);
    const [shown] = decisions;
    const until = local(ends);
    if (!shown) return `This experience is not for this page. The link works until ${until}.`;
    return `${shown.experience}: ${shown.variant} for ${shown.audienceSegment}. Nothing is tracked; until ${until}.`;
  }

  function element(name, text, more) {
    const made = Object.assign(document.createElement(name), more);
    made.append(...[].concat(text));
    return made;
  }

  function out() {
    const address = new URL(location.href);
    address.searchParams.delete("mutiny_preview");
    return address.href;
  }

  try {
    const answer = window.mutinyEdge.preview;
    document.getElementById(NAME)?.remove(); // of the page view before this one
    const host = element("div", [], { id: NAME });
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // which needs no leave of a Content Security Policy
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const leave = element("a", "Leave preview", { href: out() });
    root.append(element("p", [element("b", "Preview"), words(answer), leave], { className: answer.decisions ? "" : "wrong" }));
    document.documentElement.append(host);
  } catch {
    // A page without its badge is still the page.
  }
})();
