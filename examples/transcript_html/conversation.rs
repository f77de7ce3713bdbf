//! A conversation for those who have none: tools, code, a failure, and strangers with bad intent.

use std::time::Duration;

use dari::emulator::{Emulator, ScriptedAgent, Turn, TurnInput};
use dari::{ContentBlock, FileSource, NewSession, SessionId};
use serde_json::{Value, json};

/// What has been tried on pages that show what others wrote.
const HOSTILE: &str = concat!(
    "<script>window.pwned = 1; document.title = 'pwned'</script>\n",
    "<img src=x onerror=\"window.pwned = 1\"> <svg onload=window.pwned=1>\n",
    "</title></style></code></pre></textarea><script>window.pwned = 1</script>\n",
    "<style>body { display: none }</style> <link rel=stylesheet href=//example.com/x.css>\n",
    "<a href=\"javascript:window.pwned=1\" onmouseover=window.pwned=1>read more</a>\n",
    "[read more](javascript:window.pwned=1) <iframe srcdoc='<script>parent.pwned=1</script>'>\n",
    "\"'><base href=//example.com/> <meta http-equiv=refresh content=0;url=//example.com>\n",
    "<!-- <![CDATA[ &lt;script&gt; &amp;#x3c; \u{2028} {{7*7}} ${7*7}\n",
    "the file is \u{202e}txt.exe\u{202c}, \0 stands for nothing, \u{1b}[31mred\u{1b}[0m\n",
);

/// Returns an emulator, and the session in it once all has been said.
pub(crate) async fn held() -> Result<(Emulator, SessionId), Box<dyn std::error::Error>> {
    let agent = ScriptedAgent::named("support-agent").respond(answer);
    let emulator = Emulator::builder().agent(agent).start().await?;
    let client = emulator.client()?;
    let session = NewSession::new().name("Ticket T-1042").metadata("customer", "Example Ltd");
    let session = client.sessions().create(&emulator.agent()).session(session).await?.id;

    let photo = client.files().upload(FileSource::bytes("invoice.png", "not really one")).await?;
    let first = vec![
        ContentBlock::text("Summarize ticket T-1042 and draft a reply.\nThe customer sent this:"),
        ContentBlock::image(photo.id),
    ];
    let long = format!("{HOSTILE}{}", "Donaudampfschifffahrtsgesellschaft".repeat(12));
    for content in [first, vec![long.into()], vec!["And now refund it.".into()]] {
        let sent = client.messages().send(&session, content).await?;
        client.messages().wait(&sent.message.id).await?;
    }
    Ok((emulator, session))
}

fn answer(input: &TurnInput) -> Turn {
    let pause = Duration::from_millis(20);
    match input.number() {
        1 => Turn::new()
            .delay(pause)
            .tool_call("lookup_ticket", json!({"ticket_id": "T-1042"}), ticket())
            .delay(pause)
            .failed_tool_call("find_invoice", json!({"number": 77}), json!({"message": "There is no invoice 77."}))
            .tool_call("bash", json!({"command": "ls -l invoices"}), "total 8\n-rw-r--r-- 1 agent 1034 INV-78.pdf\n".into())
            .text(
                "An enterprise customer was charged twice, 1,034.50 EUR each time. The second charge \
                 can be found with:\n\n```sql\nselect id, amount from charges\nwhere customer_id = 4711 \
                 and amount < 2000;\n```\n\nDraft: Thank you for writing. We have refunded the second charge.",
            ),
        2 => Turn::new()
            .tool_call("</summary><script>pwned=1</script>", json!({"<b>": HOSTILE}), HOSTILE.into())
            .text(input.text()),
        _ => Turn::new().fail(json!({"type": "upstream_error", "message": "The model is overloaded <b>now</b>."})),
    }
}

fn ticket() -> Value {
    json!({
        "id": "T-1042",
        "priority": "high",
        "customer": {"id": 4711, "name": "Example Ltd", "tier": "enterprise"},
        "topics": ["invoice", "double charge"],
        "charges": [{"id": "ch_1", "amount": "1034.50"}, {"id": "ch_2", "amount": "1034.50"}],
    })
}
