"use strict";
(() => {
  const rows = document.getElementById("rows"), live = document.getElementById("live");
  const base = location.pathname.replace(/\/?$/, "/");
  let waiting = null, busy = false, again = false;
  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.pathname + "?rows", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text(), open = [...rows.querySelectorAll("details")].map((one) => one.open);
      rows.innerHTML = text;
      rows.querySelectorAll("details").forEach((one, at) => { one.open = Boolean(open[at]); });
    } catch { live.textContent = "no answer since " + new Date().toLocaleTimeString(); }
    busy = false;
    if (again) { again = false; soon(); }
  }
  function soon() {
    if (waiting === null) waiting = setTimeout(() => { waiting = null; refresh(); }, 150);
  }
  const events = new EventSource(base + "events");
  events.onopen = () => { live.textContent = "live"; soon(); };
  events.onmessage = soon;
  events.onerror = () => { live.textContent = "not connected"; };
  setInterval(() => { if (!document.hidden) soon(); }, 5000);
})();
