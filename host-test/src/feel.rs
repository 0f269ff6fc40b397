//! Camunda's FEEL engine in a process of its own (`host-test/feel/`), for a test cluster that is to evaluate expressions.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Stdio};

use camunda_test_cluster::{Evaluated, Evaluation, evaluator_at};

use crate::java::{Java, Missing, project};

/// The engine, at an address of this machine. It ends when it is dropped.
#[derive(Debug)]
pub struct Feel {
    child: Child,
    address: SocketAddr,
}

impl Feel {
    /// Builds the program where necessary, and starts it. It takes about a second.
    ///
    /// # Errors
    /// Without Java or Maven, or where it does not start.
    pub fn start() -> Result<Self, Missing> {
        let java = Java::find()?;
        let built = java.maven(&project("feel"))?;
        let child = java
            .command()
            // Without it, each call takes 40 ms longer.
            .arg("-Dsun.net.httpserver.nodelay=true")
            .args(["-cp", &built.class_path(), "Feel"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let broken = |error| Missing::Broken(format!("the FEEL service does not start: {error}"));
        let child = child.map_err(|error| broken(error.to_string()))?;
        let mut feel = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        };
        let mut line = String::new();
        let read = feel
            .child
            .stdout
            .take()
            .map(|out| BufReader::new(out).read_line(&mut line));
        match (read, line.trim().parse()) {
            (Some(Ok(_)), Ok(port)) => feel.address.set_port(port),
            _ => return Err(broken(format!("it printed '{}' for its port", line.trim()))),
        }
        Ok(feel)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Evaluates, for [`camunda_test_cluster::Cluster::set_evaluator`].
    #[must_use]
    pub fn evaluator(&self) -> impl Fn(&Evaluation) -> Evaluated + Send + Sync + 'static {
        evaluator_at(self.address)
    }
}

impl Drop for Feel {
    fn drop(&mut self) {
        // It has ended already, or it ends now.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::java::or_skip;

    fn evaluate(feel: &Feel, expression: &str, variables: Value) -> Evaluated {
        let Value::Object(variables) = variables else {
            panic!("variables are an object");
        };
        feel.evaluator()(&Evaluation {
            expression: expression.to_owned(),
            variables,
            tenant: None,
            scope: None,
        })
    }

    #[test]
    fn the_engine_answers_as_a_cluster_does() {
        let Some(feel) = or_skip(Feel::start(), "the_engine_answers_as_a_cluster_does") else {
            return;
        };
        let result = |expression, variables| match evaluate(&feel, expression, variables) {
            Evaluated::Result(result, warnings) => (result, warnings),
            other => panic!("{expression}: {other:?}"),
        };
        let body = json!({"response": {"body": {"result": {"sys_id": "ü1", "n": 2}}}});
        assert_eq!(
            result(
                "={id: response.body.result.sys_id, half: response.body.result.n / 4, two: 4 / 2}",
                body.clone()
            ),
            (json!({"id": "ü1", "half": 0.5, "two": 2}), vec![])
        );
        let (nothing, warnings) = result("=response.body.reslt.sys_id", body);
        assert_eq!(nothing, Value::Null);
        assert!(warnings[0].contains("'reslt'"), "{warnings:?}");
        let (nothing, warnings) = result("=bmpnError(\"a\")", json!({}));
        assert_eq!(nothing, Value::Null);
        assert!(warnings[0].contains("'bmpnError'"), "{warnings:?}");
        assert_eq!(result("text", json!({})).0, json!("text"));
        assert_eq!(result("=duration(\"PT1H\")", json!({})).0, json!("PT1H"));
        let Evaluated::Unparsable(why) = evaluate(&feel, "=1 +", json!({})) else {
            panic!("it parses");
        };
        assert!(why.contains("1 +"), "{why}");
        let Evaluated::Failed(why) = evaluate(&feel, "=assert(a, a != null, \"no a\")", json!({})) else {
            panic!("it does not fail");
        };
        assert!(why.contains("no a"), "{why}");
    }
}
