//! Tasks with expressions, which this worker does not evaluate.

use super::harness::{Rig, job};

#[test]
fn a_task_with_an_expression_is_an_incident_before_a_call() {
    for header in ["resultExpression", "errorExpression"] {
        let rig = Rig::new();
        let key = rig.create(job().header(header, "={a: 1}"));
        rig.once();
        let incident = rig.incident(key);
        assert!(rig.place.was_left_alone());
        assert_eq!(
            (incident.state(), &incident.error()["code"]),
            ("not-started", &"INVALID_INPUT".into())
        );
        assert!(incident.head().contains(header), "{}", incident.message);
    }
}
