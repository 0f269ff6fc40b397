//! The input's fields as flags, named as in the connector's documentation.

/// What a flow's trigger may be called with, and what it is not called without. Any value may begin with a hyphen: what is wrong with it, the
/// component says.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "The input's fields, in place of the file's")]
pub(crate) struct Flags {
    /// The instance's name alone: acme for https://acme.service-now.com
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(super) instance_name: Option<String>,
    /// The trigger's path: /api/sn_cico/flow_starter/my_flow; what a URL cannot hold is percent-encoded
    #[arg(long, value_name = "PATH", allow_hyphen_values = true)]
    pub(super) rest_api_trigger_path: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE, in any case: each of them starts the flow. POST where there is no file
    #[arg(long, value_name = "METHOD", allow_hyphen_values = true)]
    pub(super) method: Option<String>,
    /// The trigger's headers as a JSON object
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(super) headers: Option<String>,
    /// One more header, 'Name: value'; may be given more than once
    #[arg(long, value_name = "NAME: VALUE", allow_hyphen_values = true)]
    pub(super) header: Vec<String>,
    /// The trigger's query parameters as a JSON object
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(super) query_parameters: Option<String>,
    /// One more query parameter, name=value; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(super) query: Vec<String>,
    /// The request's body: JSON, or @FILE for what is in a file
    #[arg(long, visible_alias = "body", value_name = "BODY", allow_hyphen_values = true)]
    pub(super) request_body: Option<String>,
    /// basic, bearer, apiKey, oauth-client-credentials-flow or noAuth; otherwise as the other flags say
    #[arg(long, value_name = "TYPE", allow_hyphen_values = true)]
    pub(super) authentication_type: Option<String>,
    /// Basic: the user
    #[arg(long, value_name = "USER", allow_hyphen_values = true)]
    pub(super) username: Option<String>,
    /// Basic: the password. Others can read a command line: write '{{secrets.NAME}}', here and below
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true)]
    pub(super) password: Option<String>,
    /// Bearer: the token
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub(super) token: Option<String>,
    /// API key: its header's or parameter's name; otherwise x-sn-apikey
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(super) api_key_name: Option<String>,
    /// API key: the key
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(super) api_key_value: Option<String>,
    /// API key: headers or query; otherwise headers
    #[arg(long, value_name = "LOCATION", allow_hyphen_values = true)]
    pub(super) api_key_location: Option<String>,
    /// OAuth: the client's id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(super) client_id: Option<String>,
    /// OAuth: the client's secret
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true)]
    pub(super) client_secret: Option<String>,
    /// OAuth: where tokens are given; otherwise /oauth_token.do of the instance
    #[arg(long, value_name = "URL", allow_hyphen_values = true)]
    pub(super) oauth_token_endpoint: Option<String>,
    /// OAuth: scopes, separated by white space
    #[arg(long, value_name = "SCOPES", allow_hyphen_values = true)]
    pub(super) scopes: Option<String>,
    /// OAuth: the audience, where the token's server asks for one
    #[arg(long, value_name = "AUDIENCE", allow_hyphen_values = true)]
    pub(super) audience: Option<String>,
    /// OAuth: credentialsBody or basicAuthHeader; otherwise credentialsBody
    #[arg(long, value_name = "HOW", allow_hyphen_values = true)]
    pub(super) client_authentication: Option<String>,
    /// What follows the instance's name: servicenowservices.com; otherwise service-now.com
    #[arg(long, value_name = "DOMAIN", allow_hyphen_values = true)]
    pub(super) domain: Option<String>,
    /// A whole origin in place of instance and domain: https://flows.example.com
    #[arg(long, value_name = "ORIGIN", allow_hyphen_values = true)]
    pub(super) endpoint: Option<String>,
    /// How long to try to connect, in seconds; 0: no limit; otherwise 20
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(super) connection_timeout: Option<String>,
    /// How long the instance may stay silent, in seconds (until its answer begins, the time to connect counts too, and both limits are one); 0: no limit; otherwise 20
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(super) read_timeout: Option<String>,
    /// The longest answer to read, in bytes; otherwise 1048576
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub(super) max_response_bytes: Option<String>,
}

pub(super) type Field<'a> = (&'static str, &'a Option<String>);

impl Flags {
    /// Whether none was given.
    pub(super) fn are_none(&self) -> bool {
        self.values().next().is_none()
    }

    /// All that were given.
    pub(super) fn values(&self) -> impl Iterator<Item = &String> {
        let texts = self
            .fields()
            .into_iter()
            .chain(self.authentication_types().into_iter().flat_map(|(_, fields)| fields));
        let others = [
            &self.headers,
            &self.query_parameters,
            &self.request_body,
            &self.authentication_type,
        ];
        let single = texts.map(|(_, value)| value).chain(others).filter_map(Option::as_ref);
        single.chain(&self.header).chain(&self.query)
    }

    /// The text fields that are members of the input themselves.
    pub(super) fn fields(&self) -> [Field<'_>; 8] {
        [
            ("snInstance", &self.instance_name),
            ("snDomain", &self.domain),
            ("snEndpoint", &self.endpoint),
            ("restApiTriggerPath", &self.rest_api_trigger_path),
            ("method", &self.method),
            ("connectionTimeoutInSeconds", &self.connection_timeout),
            ("readTimeoutInSeconds", &self.read_timeout),
            ("maxResponseBytes", &self.max_response_bytes),
        ]
    }

    /// The ways to authenticate, and the members of `authentication` that belong to each.
    pub(super) fn authentication_types(&self) -> [(&'static str, Vec<Field<'_>>); 4] {
        [
            (
                "basic",
                vec![("username", &self.username), ("password", &self.password)],
            ),
            ("bearer", vec![("token", &self.token)]),
            (
                "apiKey",
                vec![
                    ("apiKeyLocation", &self.api_key_location),
                    ("name", &self.api_key_name),
                    ("value", &self.api_key_value),
                ],
            ),
            (
                "oauth-client-credentials-flow",
                vec![
                    ("clientId", &self.client_id),
                    ("clientSecret", &self.client_secret),
                    ("oauthTokenEndpoint", &self.oauth_token_endpoint),
                    ("scopes", &self.scopes),
                    ("audience", &self.audience),
                    ("clientAuthentication", &self.client_authentication),
                ],
            ),
        ]
    }
}
