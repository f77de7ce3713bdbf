//! An agent for those who have none. It takes a few seconds, so that there is something to see.

use std::time::Duration;

use dari::emulator::{ScriptedAgent, Turn, TurnInput};
use serde_json::json;

pub(crate) fn agent() -> ScriptedAgent {
    ScriptedAgent::named("support-agent").respond(answer)
}

fn answer(input: &TurnInput) -> Turn {
    let pause = Duration::from_millis(500);
    let text = input.text();
    let ticket =
        json!({"priority": "high", "topic": "a wrong invoice", "charges": [1034.5, 1034.5]});
    let turn = Turn::new()
        .delay(pause)
        .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), ticket)
        .delay(pause)
        .failed_tool_call("find_invoice", json!({"number": 77}), json!("there is no invoice 77"))
        .delay(pause)
        .tool_call("bash", json!({"command": "ls invoices"}), json!("INV-78.pdf\nINV-79.pdf\n"))
        .delay(pause);
    if text.trim().eq_ignore_ascii_case("fail") {
        return turn.fail(json!({"message": "the model is overloaded"}));
    }
    turn.text(format!(
        "Ticket T-1042 is about a wrong invoice. You wrote:\n\n{text}\n\nSay \"fail\" to see a turn fail."
    ))
}
