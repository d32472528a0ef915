/* The browser client of mutiny-edge: asks what this visitor sees here, puts it on the page, says that it was seen.

   1. It never throws into the page. On any error, time-out or block the page shows as it is, and nothing is tracked.
   2. Settings: `data-…` on its script tag, or `window.mutinyEdge = {…}` before it: writeKey, consent ("wait"), hide,
      hideMs, timeoutMs, site, cookie ("server"), src, traits, ready. The service is where the script came from.
   3. `view` is one page view: undo the last one's changes, ask, show. History changes and a return from the
      back-forward cache are page views too. A view that is overtaken by the next one does nothing more.
   4. A change is made once to each element, also to those that come late, and knows how to undo itself; it undoes
      nothing that the page has changed since. What a change inserts is never changed by itself or by one before it.
   5. A decision is tracked when all its changes are on the page; when time is up or the page is left, if any is.
   6. `say` hands calls to analytics.js, also to its stub. Where there is none, or it never arrives, they go to the
      service itself, if there is a write key.
   7. One cookie, with a copy in localStorage: id~first seen~visits~last seen~"in". "~out" is a visitor who opted out.

   Served is client.min.js, made of this file: UPDATE=1 python -m pytest tests/web/test_client.py */
(() => {
  "use strict";
  const config = window.mutinyEdge || {};
  if (config.refresh) return; // this script stands on the page twice
  const tag = document.currentScript || document.querySelector('script[src*="/client.js"]');
  const setting = (name) => config[name] ?? tag?.dataset[name];

  const quietly = (work) => (...args) => {
    try {
      return work(...args);
    } catch {}
  };
  const base = quietly(() => new URL(".", setting("src") || tag.src).href)();
  if (!base) return;

  const COOKIE = "mutiny_edge", LINKED = "mutiny_edge_linked", HOP = "mutiny_edge_hop";
  const LIFE_S = 34560000; // 400 days: browsers keep none for longer; it begins anew with every page view
  const VISIT_MS = 1800000; // a visit is over after half an hour without a page view
  const LATE_MS = 15000; // elements may come so late
  const SWEEPS = 2000; // times that they are looked for, on pages that never come to rest
  const PATIENCE_MS = 5000; // so long the library behind analytics' stub may take, where we could do without it
  const DROP_MS = 60000; // what nobody has taken so long after the last of it is dropped
  const HOP_MS = 10000; // redirects that follow each other so fast may go in a circle…
  const HOPS = 3; // …and so there are no more
  const LAST_WORD_MS = 300; // for analytics to send what it was told, before the page is left for another website

  const writeKey = setting("writeKey");
  const hideMs = +setting("hideMs") || 400;
  const timeoutMs = +setting("timeoutMs") || (setting("hide") ? hideMs : 2000);
  const preview = new URLSearchParams(location.search).get("mutiny_preview");
  const keeper = (storage) => quietly((name, value) => (value ? (window[storage][name] = value) : window[storage][name]));
  const local = keeper("localStorage"), session = keeper("sessionStorage");

  /* --- who it is ------------------------------------------------------------------------------------------ */

  let id, choice; // and what they chose about all this: "in", "out" or nothing
  let waiting = setting("consent") === "wait";

  const cookies = (name) =>
    document.cookie.split("; ").filter((pair) => pair.startsWith(name + "=")).map((pair) => pair.slice(name.length + 1));
  const uuid = () =>
    crypto.randomUUID?.() ?? // which pages without TLS do not have
    crypto.getRandomValues(new Uint32Array(4)).join("-");

  function keep(state) {
    local(COOKIE, state);
    if (setting("cookie") === "server") return;
    const secure = location.protocol === "https:" ? "; secure" : "";
    const names = location.hostname.split(".");
    // For the widest domain that the browser lets us have; at last, for none.
    for (let from = names.length - 1; from >= -1; from--) {
      const domain = from < 0 ? "" : "; domain=" + names.slice(from).join(".");
      document.cookie = `${COOKIE}=${state}; path=/; max-age=${LIFE_S}; samesite=lax${secure}${domain}`;
      if (cookies(COOKIE).includes(state)) break;
    }
  }

  function remembered() {
    const states = [...cookies(COOKIE), local(COOKIE) || ""].map((state) => state.split("~"));
    const out = states.find((state) => state[1] === "out");
    const valid = out || states.find(([id]) => /^[\w.:-]{1,128}$/.test(id)) || [];
    const state = states.find(([id, first]) => first && id === valid[0]) || valid; // a server's cookie is an id alone
    choice = out ? "out" : state[4];
    return state;
  }

  const allowed = () => !preview && !navigator.globalPrivacyControl && !waiting && choice !== "out";

  function recognise(chosen) {
    const now = Date.now();
    let [known, first, count, last] = remembered();
    choice = chosen || choice;
    id = known || cookies("mutiny.user.token").find((token) => /^[\da-f-]{36}$/i.test(token)) || uuid();
    first = Math.min(+first || now, now);
    count = +count || 0;
    if (!count || now - last > VISIT_MS) count++;
    keep([id, first, count, now, choice].join("~"));
    return { count, first_seen: new Date(first) };
  }

  /* --- what was seen is said ------------------------------------------------------------------------------ */

  let queue = [], since, timer, hooked, linking = "", ours = 0;

  function say(message) {
    if (choice !== "out") queue = [...queue.slice(-99), { timestamp: new Date(), ...message }];
    begin();
  }

  const begin = () => {
    since = Date.now();
    flush();
  };

  const flush = quietly((leaving) => {
    clearTimeout(timer);
    if (!id || !allowed()) return;
    const { analytics } = window, age = Date.now() - since;
    const stub = Array.isArray(analytics) || (analytics?.then && !analytics.instance); // the snippet's, the package's
    if (analytics?.track && !(stub && writeKey)) {
      link();
      for (const { event, properties, userId, traits } of queue.splice(0))
        (event ? analytics.track(event, properties) : analytics.identify(userId, traits))?.catch?.(() => {});
    } else if (writeKey && queue[0] && (leaving || (stub ? age > PATIENCE_MS : document.readyState === "complete"))) {
      send(queue.splice(0));
    } else if (age < DROP_MS) timer = setTimeout(flush, 200 + age / 5);
    else queue = [];
  });

  // The library knows it also where it has no cookie. Behind a stub the cookie may be of an earlier page view.
  const told = quietly(() => (analytics.instance ?? analytics).user().anonymousId());
  const anonymous = () => told() || decodeURIComponent(cookies("ajs_anonymous_id")[0] || "").replace(/"/g, "");
  const pair = (anonymousId) => id + "/" + anonymousId;

  // Which visitor the anonymous id is: once for each pair of them. A reset, or another user, makes a new one. It is said
  // of everybody: by it, what Segment learns of them is known in the next decision.
  const link = quietly(() => {
    const none = pair(""), mine = pair(anonymous());
    // Each call of ours takes one event off, else it would lead to the next call.
    hooked ||= ["identify", "reset"].map((event) => analytics.on?.(event, () => (ours ? ours-- : setTimeout(link))));
    // Behind the stub the anonymous id may not be made yet; then the library says which one it was. Where nobody says
    // it, `mine` is what all pairs of this visitor begin with.
    if (!allowed() || linking === none || linking.startsWith(mine) || local(LINKED) === mine) return;
    linking = mine;
    ours++;
    const done = (context) =>
      local(LINKED, (linking = mine === none ? pair(context?.event?.anonymousId || anonymous()) : mine));
    analytics.identify(null, { mutinyVisitorId: id }, {}, quietly(done))?.catch?.(() => {});
  });

  function send(messages) {
    const anonymousId = anonymous() || id, mine = pair(anonymousId);
    if (![linking, local(LINKED)].includes(mine))
      messages.unshift({ type: "identify", traits: { mutinyVisitorId: id }, timestamp: messages[0].timestamp });
    linking = mine;
    const batch = messages.map((message) => ({ ...message, anonymousId, messageId: uuid() }));
    const page = { url: address(), path: location.pathname, referrer, title: document.title };
    const body = JSON.stringify({ writeKey, sentAt: new Date(), context: { page }, batch });
    const url = base + "v1/batch";
    if (document.hidden && navigator.sendBeacon?.(url, body)) return;
    fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" })
      .catch(() => 0)
      .then(({ ok }) => local(LINKED, (linking = ok ? mine : "-")));
  }

  /* --- changes -------------------------------------------------------------------------------------------- */

  const made = new WeakMap(); // elements that a change inserted: which one it was
  const same = (text) => text, rules = { createHTML: same, createScriptURL: same };
  const trusted = quietly(() => trustedTypes.createPolicy("mutiny-edge", rules))() ?? rules;

  function parsed(html, number) {
    const template = document.createElement("template");
    template.innerHTML = trusted.createHTML(html);
    for (const element of template.content.querySelectorAll("*")) {
      made.set(element, number);
      if (element.localName === "style") element.nonce = tag?.nonce;
    }
    return [...template.content.childNodes];
  }

  // Set what `get` reads. It is undone by setting it back, unless somebody else has set it since, or a text in it.
  function swap(undos, get, set, wanted) {
    const before = get(), state = () => get().flatMap((value) => [value, value?.data]);
    set(wanted);
    const after = state();
    undos.push(() => {
      const now = state();
      if (now.length === after.length && now.every((value, index) => value === after[index])) set(before);
    });
  }

  const content = (undos, element, wanted) =>
    swap(undos, () => [...element.childNodes], (nodes) => element.replaceChildren(...nodes), wanted);

  const actions = {
    text: (undos, element, text) => content(undos, element, [text]),
    html: (undos, element, html, number) => content(undos, element, parsed(html, number)),
    attributes(undos, element, all) {
      for (const name in all) {
        const set = ([value]) => (value === null ? element.removeAttribute(name) : element.setAttribute(name, value));
        swap(undos, () => [element.getAttribute(name)], set, [all[name]]);
      }
    },
    classes(undos, { classList }, { add = [], remove = [] }) {
      for (const name of [...add, ...remove])
        swap(undos, () => [classList.contains(name)], ([on]) => classList.toggle(name, on), [add.includes(name)]);
    },
    style(undos, { style }, all) {
      for (const name in all) {
        const [value, important] = all[name].split(/\s*!\s*(?=important\s*$)/i);
        const get = () => [style.getPropertyValue(name), style.getPropertyPriority(name)];
        swap(undos, get, (wanted) => style.setProperty(name, ...wanted), [value, important && "important"]);
      }
    },
    insert(undos, element, { position, html }, number) {
      const nodes = parsed(html, number);
      element[position](...nodes); // before, after, prepend and append are the names of the methods, too
      undos.push(() => nodes.forEach((node) => node.remove()));
    },
    remove(undos, element) {
      const place = new Comment();
      element.replaceWith(place);
      undos.push(() => place.replaceWith(element));
    },
  };

  function make(change, undos) {
    if (!change.selector) return; // a redirect
    for (const element of document.querySelectorAll(change.selector)) {
      if (change.done.has(element) || made.get(element) >= change.number) continue;
      change.done.add(element);
      change.made = true;
      for (const action in actions)
        if (action in change) actions[action](undos, element, change[action], change.number);
    }
  }

  /* --- decisions on the page ------------------------------------------------------------------------------ */

  let shown = [], sweeps, late;

  const undo = ({ undos }) => undos.splice(0).reverse().forEach((one) => quietly(one)());

  function track(entry) {
    const { track } = entry.decision;
    if (track && !entry.tracked) say({ type: "track", ...track });
    entry.tracked = true;
  }

  // What is not there by now does not come any more; who saw a part of it has seen it.
  const settle = () => shown.forEach((entry) => entry.changes.some((change) => change.made) && track(entry));

  const observer = new MutationObserver(sweep);

  function sweep() {
    shown = shown.filter((entry) => {
      try {
        for (const change of entry.changes) make(change, entry.undos);
        if (entry.changes.every((change) => change.made)) track(entry);
        return true;
      } catch {
        undo(entry);
      }
    });
    observer.takeRecords(); // our own changes are no news
    if (!sweeps--) observer.disconnect();
  }

  // Whether the page is left for another one.
  function show(given) {
    let number = 0;
    const prepared = (change) => ({ ...change, number: number++, done: new WeakSet() });
    shown = given.map((decision) => ({ decision, undos: [], changes: decision.changes.map(prepared) }));
    decisions = given;
    if (shown.some((entry) => entry.changes.some((change) => change.redirect && redirects(change, entry)))) return true;
    sweeps = SWEEPS;
    observer.observe(document, { childList: true, subtree: true });
    sweep();
    late = setTimeout(() => {
      observer.disconnect();
      settle();
    }, LATE_MS);
  }

  // Another page is the variant: there it is said that it was seen, or before that where the other page is not ours.
  let hop = quietly(() => JSON.parse(session(HOP)))() || {};
  const { call } = hop;
  if (!(Date.now() - hop.time < HOP_MS)) hop = { count: 0 };

  function redirects(change, entry) {
    const target = new URL(change.redirect, location), { track: call } = entry.decision;
    change.made = target.origin + target.pathname === location.origin + location.pathname;
    if (change.made || hop.count >= HOPS || !/^http/.test(target.protocol)) return;
    for (const [name, value] of new URLSearchParams(location.search))
      if (!target.searchParams.has(name)) target.searchParams.append(name, value);
    const time = Date.now(), count = hop.count + 1, ours = target.origin === location.origin;
    if (session(HOP, JSON.stringify({ time, count, call: ours && call })) && ours) location.replace(target);
    else {
      track(entry);
      setTimeout(() => location.replace(target), LAST_WORD_MS);
    }
    return true;
  }

  /* --- page views ----------------------------------------------------------------------------------------- */

  const address = () => location.href.split("#")[0]; // what stands behind it is the page's own, and may be secret
  let views = 0, answered, decisions = [], listeners = [], sheet;
  let referrer = document.referrer, here = address();

  // A sheet of this kind needs no leave of a Content Security Policy. What was seen already is not hidden any more.
  const hide = quietly(() => {
    if (views > 1 || !setting("hide") || performance.getEntriesByName("first-contentful-paint")[0]) return;
    sheet = new CSSStyleSheet();
    sheet.replaceSync(setting("hide") + "{visibility:hidden!important}");
    document.adoptedStyleSheets.push(sheet);
    setTimeout(unhide, hideMs);
  });
  const unhide = () => sheet?.replaceSync("");

  const clear = () => {
    settle();
    observer.disconnect();
    clearTimeout(late);
    shown.splice(0).reverse().forEach(undo);
    decisions = [];
  };

  // Where the page `stays` what it is, so do its changes until there are new ones: nothing flickers.
  async function view(stays) {
    const current = ++views;
    let timer, answer, leaves;
    try {
      if (!stays) clear();
      [id] = remembered();
      if (preview || allowed()) {
        const controller = new AbortController();
        timer = setTimeout(() => controller.abort(), timeoutMs);
        hide(); // and shown again after that timer, never before it
        const visit = preview ? undefined : recognise();
        begin();
        const url = setting("site") ? setting("site") + location.pathname + location.search : address();
        const page = { url, referrer, title: document.title };
        const body = JSON.stringify({ visitorId: id || "preview", page, visit, traits: config.traits, preview });
        const asked = { method: "POST", body, credentials: "omit", signal: controller.signal };
        const response = await fetch(base + "v1/decide", asked);
        answer = await response.json();
        if (preview && current === views) badge(answer);
        if (!response.ok) answer = 0;
      }
    } catch {}
    clearTimeout(timer);
    if (current === views) {
      quietly(() => {
        clear();
        leaves = answer && show(answer.decisions);
      })();
      if (!leaves) unhide();
      answered = true;
      listeners.splice(0).forEach(api.ready);
    }
    return decisions;
  }

  function badge(answer) {
    api.preview = answer;
    const script = document.createElement("script");
    script.src = trusted.createScriptURL(base + "preview.js");
    script.nonce = tag?.nonce;
    document.head.append(script);
  }

  // What replaces the address and leaves its path alone is the page's bookkeeping.
  const moved = quietly((replaced) => {
    const before = here;
    here = address();
    if (replaced ? here.split("?")[0] === before.split("?")[0] : here === before) return;
    referrer = before;
    view();
  });

  // In browsers that do not tell of it by themselves.
  function watch(name, replaces) {
    const original = history[name];
    history[name] = function (...args) {
      const result = original.apply(this, args);
      moved(replaces);
      return result;
    };
  }

  const leave = quietly(() => {
    settle();
    flush(true);
  });

  /* --- for the page --------------------------------------------------------------------------------------- */

  const optIn = () => {
    waiting = false;
    if (!navigator.globalPrivacyControl) recognise("in");
    return view();
  };
  const optOut = () => {
    keep("~out");
    local(LINKED, "-");
    remembered();
    queue = [];
    return view();
  };

  const api = (window.mutinyEdge = {
    get decisions() {
      return decisions;
    },
    get visitorId() {
      return id || undefined;
    },
    ready: (listener) => void (answered ? Promise.resolve(api).then(listener) : listeners.push(listener)),
    refresh: () => view(true),
    consent: () => waiting && ((waiting = false), view()),
    optIn: quietly(optIn),
    optOut: quietly(optOut),
  });

  // Mutiny's own shim, with what was called before this script came.
  const takeOver = quietly(() => {
    const client = ((window.mutiny ??= {}).client ??= {}), early = client._queue;
    const calls = {
      defaultOptOut: () => (remembered(), (waiting ||= choice !== "in")),
      optOut,
      optIn,
      identify: (userId, traits) => say({ type: "identify", userId, traits }),
      trackConversion: ({ name }) => say({ type: "track", event: name }),
    };
    if (client.identify && !early) return;
    for (const name in calls) {
      client[name] = async (...args) => void quietly(calls[name])(...args);
      for (const { args, resolve } of early?.[name] ?? []) client[name](...args).then(resolve);
    }
  });

  const start = quietly(() => {
    [].concat(config.ready ?? []).forEach(api.ready);
    if (window.navigation)
      navigation.addEventListener("currententrychange", (event) => moved(event.navigationType === "replace"));
    else {
      watch("pushState");
      watch("replaceState", true);
      addEventListener("popstate", () => moved());
    }
    addEventListener("pageshow", (event) => event.persisted && view(true));
    for (const event of ["pagehide", "visibilitychange"]) addEventListener(event, leave);
    if (call) {
      say({ type: "track", ...call });
      session(HOP, JSON.stringify({ ...hop, call: 0 }));
    }
    takeOver();
    if (!views) view();
  });

  if (document.prerendering) document.addEventListener("prerenderingchange", start, { once: true });
  else start();
})();
