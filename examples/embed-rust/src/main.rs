//! `embed-rust COMPONENT ORIGIN` starts a flow at ORIGIN, the only origin that the component may call.

use flow_starter_host::input::{Authentication, Credentials, Method};
use flow_starter_host::{Egress, Engine, FlowConfig, FlowState, Limits, Policy};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (component, origin) = arguments
        .next()
        .zip(arguments.next())
        .ok_or("embed-rust COMPONENT ORIGIN")?;

    let connector = Engine::new(Limits::default())?.load(&std::fs::read(component)?).await?;
    let egress = Egress::builder().policy(Policy::new([origin.parse()?])).build()?;

    let mut config = FlowConfig::new(Method::Post, "", "/api/sn_cico/flow_starter/my_flow");
    config.endpoint = Some(origin.into());
    config.headers = vec![("hello".into(), "header".into())];
    config.query = vec![("hello".into(), "query".into())];
    config.body = Some(r#"{"correlationValue":"cam-id-1"}"#.into());
    config.authentication = Authentication::Basic(Credentials {
        username: std::env::var("SN_USER")?.into(),
        password: std::env::var("SN_PASSWORD")?.into(),
    });

    match connector.trigger_flow(&egress, config).await.result {
        Ok(response) => println!("started: {}", response.execution_id.unwrap_or_default()),
        Err(error) => match error.flow {
            FlowState::NotStarted if error.retryable => println!("not started, retry later: {error}"),
            FlowState::NotStarted => println!("not started, fix this first: {error}"),
            FlowState::Started => println!("started, but the response is lost: {error}"),
            FlowState::Unknown => println!("unknown, look in ServiceNow before you retry: {error}"),
        },
    }
    Ok(())
}
