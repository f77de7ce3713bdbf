// Shows the events of a session as they come, and sends turns.
// What people, models and tools wrote is set as textContent alone: it never becomes markup.

const element = (id) => document.getElementById(id);
const main = document.querySelector("main");
const [log, ledger, box] = [element("log"), element("ledger"), element("text")];

// Heartbeats come every 15 s: after this many milliseconds without one the connection is dead.
const SILENCE = 40_000;
const LONGEST_PAUSE = 15_000;

// The id of the last event that was shown, to go on behind it.
let last = null;
let failures = 0;
// The turns that are not finished, by message, and the tool calls, by id.
const atWork = new Map();
const calls = new Map();

let atEnd = true;
main.addEventListener("scroll", () => {
  atEnd = main.scrollHeight - main.scrollTop - main.clientHeight < 50;
});
new ResizeObserver(toEnd).observe(main);

// The turn that is being sent. The same turn keeps its key, so that it cannot be sent twice.
let turn = null;

connect();
element("turn").addEventListener("submit", submit);
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    element("turn").requestSubmit();
  }
});

// The browser resumes a lost connection by itself, with the last id in a header. What it gives up
// on, an answer that is no stream or a connection that went silent, is taken up here again.
function connect() {
  const after = last === null ? "" : `?after=${encodeURIComponent(last)}`;
  const source = new EventSource(`/events${after}`);
  let watch;

  const again = (pause) => {
    source.close();
    clearTimeout(watch);
    setTimeout(connect, pause);
  };
  const alive = () => {
    clearTimeout(watch);
    watch = setTimeout(() => again(0), SILENCE);
    failures = 0;
    element("connection").textContent = "Connected";
  };

  watch = setTimeout(() => again(0), SILENCE);
  source.addEventListener("open", alive);
  source.addEventListener("heartbeat", alive);
  source.addEventListener("message", (event) => {
    alive();
    show(JSON.parse(event.data));
    last = event.lastEventId || last;
  });
  source.addEventListener("end", (event) => {
    source.close();
    clearTimeout(watch);
    element("connection").textContent = event.data;
  });
  source.addEventListener("error", () => {
    element("connection").textContent = "Connection lost, trying again";
    if (source.readyState === EventSource.CLOSED) {
      failures += 1;
      again(Math.min(500 * 2 ** failures, LONGEST_PAUSE));
    }
  });
}

function show(event) {
  const line = make("li", `${event.sequence ?? "-"} ${event.type}`);
  line.dataset.sequence = event.sequence ?? "";
  ledger.append(line);
  element("count").textContent = ledger.children.length;

  switch (event.what) {
    case "user":
      said("user", "You", event);
      break;
    case "agent":
      said("agent", "Agent", event);
      break;
    case "tool_call":
      called(event);
      break;
    case "tool_result":
      answered(event);
      break;
    case "turn":
      changed(event);
      break;
  }
  toEnd();
}

// Whoever has scrolled up to read stays there.
function toEnd() {
  if (atEnd) {
    main.scrollTop = main.scrollHeight;
  }
  ledger.scrollTop = ledger.scrollHeight;
}

function said(who, name, event) {
  const head = make("header");
  const time = make("time", new Date(event.at).toLocaleTimeString());
  time.dateTime = event.at;
  head.append(make("h2", name), time);
  const text = make("div", event.text);
  text.className = "text";
  text.dir = "auto";
  add("article", who, event).append(head, text);
}

function called(event) {
  const details = add("details", "tool", event);
  const summary = make("summary");
  const name = make("code", event.tool ?? "a tool");
  name.dir = "auto";
  summary.append(name, make("span", "running"));
  details.append(summary, make("pre", event.arguments ?? ""), make("pre"));
  calls.set(event.call, details);
  return details;
}

function answered(event) {
  const details = calls.get(event.call) ?? called(event);
  details.classList.toggle("failed", event.failed);
  details.querySelector("span").textContent = event.failed ? "failed" : "done";
  details.lastElementChild.textContent = event.result ?? "";
}

function changed(event) {
  if (event.status === "completed" || event.status === "failed") {
    atWork.delete(event.message);
  } else {
    atWork.set(event.message, event.status);
  }
  if (event.status === "failed") {
    add("p", "failure", event).textContent = "The agent could not finish this turn.";
  }
  const waits = [...atWork.values()].includes("waiting_for_tool");
  const working = waits ? "The agent waits for a tool" : "The agent is at work";
  element("activity").textContent = atWork.size > 0 ? working : "";
}

async function submit(submitted) {
  submitted.preventDefault();
  const button = submitted.target.querySelector("button");
  const text = box.value;
  if (button.disabled || !text.trim()) {
    return;
  }
  if (turn?.text !== text) {
    turn = { text, key: crypto.randomUUID() };
  }
  button.disabled = box.readOnly = true;
  element("problem").textContent = "";
  try {
    await send(turn);
    turn = null;
    box.value = "";
    atEnd = true;
    toEnd();
  } catch (error) {
    element("problem").textContent = `Not sent. ${error.message}`;
  } finally {
    button.disabled = box.readOnly = false;
    box.focus();
  }
}

async function send(turn) {
  const request = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(turn),
  };
  let reason;
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    try {
      const answer = await fetch("/turns", request);
      if (answer.ok) {
        return;
      }
      reason = await answer.text();
      if (answer.status < 500) {
        break;
      }
    } catch {
      reason = "There is no connection.";
    }
    await new Promise((resume) => setTimeout(resume, 250 * 2 ** attempt));
  }
  throw new Error(reason);
}

function add(tag, name, event) {
  const added = make(tag);
  added.className = name;
  added.dataset.sequence = event.sequence ?? "";
  log.append(added);
  return added;
}

function make(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
