//! What sessions cost, and when it is known.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, body, refused, value};
use crate::emulator::refusal::Refusal;
use crate::emulator::script::{ScriptedAgent, Turn};
use crate::emulator::state::{Organization, Visit};

impl Bench {
    fn cost(&mut self, session: &str) -> Value {
        value(self.state.cost(self.visit(), session))
    }

    fn no_cost(&mut self, session: &str) {
        assert_eq!(refused(self.state.cost(self.visit(), session)), Refusal::NotFound("Cost"));
    }
}

#[test]
fn a_cost_is_the_exact_sum_of_all_charges() {
    let turns = [
        Turn::new().cost("0.1").text("a").cost("0.2"),
        Turn::reply("b"),
        Turn::new().cost("0.00000000000000000001").fail(json!("no")).cost("9"),
        Turn::reply("c").cost("0"),
    ];
    let mut bench = Bench::with_turns(turns);
    bench.start(&body("1"));
    let expected = json!({"scope_kind": "session", "scope_id": "sess_1", "event_count": 2,
        "total_cost_usd": "0.3"});
    assert_eq!(bench.cost("sess_1"), expected);
    for (total, charges) in
        [("0.3042", 3), ("0.30420000000000000001", 4), ("0.30420000000000000001", 5)]
    {
        bench.send("sess_1", "more");
        let cost = bench.cost("sess_1");
        assert_eq!(cost["total_cost_usd"], total);
        assert_eq!(cost["event_count"], charges);
    }
}

#[test]
fn there_is_no_cost_before_the_run_has_been_over_for_the_delay() {
    let mut bench = Bench::with_turns([Turn::new().cost("1").delay(Duration::from_secs(10))]);
    bench.state.cost_delay = Duration::from_secs(60);
    let session = bench.create();
    bench.no_cost(&session);
    bench.send(&session, "go");
    bench.no_cost(&session);
    bench.pass(9);
    bench.no_cost(&session);
    bench.pass(1);
    bench.no_cost(&session);
    bench.pass(59);
    bench.no_cost(&session);
    bench.pass(1);
    assert_eq!(bench.cost(&session)["total_cost_usd"], "1");
    bench.send(&session, "again");
    bench.no_cost(&session);
    bench.pass(70);
    assert_eq!(bench.cost(&session)["total_cost_usd"], "2");
    bench.state.cost_delay = Duration::MAX;
    bench.no_cost(&session);
}

#[test]
fn a_charge_that_is_no_amount_fails_its_turn() {
    let mut bench = Bench::with_turns([Turn::new().cost("1e2").text("never")]);
    bench.start(&body("Hi"));
    let error = bench.message("msg_1")["output"]["error"].clone();
    assert_eq!(error["type"], "script_invalid");
    assert!(error["message"].as_str().unwrap().contains("\"1e2\""), "{error}");
}

#[test]
fn a_cost_is_shown_to_the_owner_alone() {
    let mut bench = Bench::new(ScriptedAgent::echo());
    bench.start(&body("Hi"));
    let stranger = Visit { organization: Organization::Stranger, now: Duration::ZERO };
    assert_eq!(refused(bench.state.cost(stranger, "sess_1")), Refusal::Forbidden);
    let missing = refused(bench.state.cost(stranger, "sess_9"));
    assert_eq!(missing, Refusal::NotFound("Session"));
}
