//! The input's fields as flags, with the names from Camunda's documentation.

/// All input fields. Any value may start with a hyphen; the component reports invalid ones.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Input fields (they replace the file's)")]
pub(crate) struct Flags {
    /// The instance's name: acme for https://acme.service-now.com
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(super) instance_name: Option<String>,
    /// The trigger's path, for example /api/sn_cico/flow_starter/my_flow; characters that a URL cannot hold are percent-encoded
    #[arg(long, value_name = "PATH", allow_hyphen_values = true)]
    pub(super) rest_api_trigger_path: Option<String>,
    /// GET, POST, PUT, PATCH or DELETE, in any letter case; each of them starts the flow [default without a file: POST]
    #[arg(long, value_name = "METHOD", allow_hyphen_values = true)]
    pub(super) method: Option<String>,
    /// Request headers as a JSON object
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(super) headers: Option<String>,
    /// One more header, 'Name: value'; repeatable
    #[arg(long, value_name = "NAME: VALUE", allow_hyphen_values = true)]
    pub(super) header: Vec<String>,
    /// Query parameters as a JSON object
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    pub(super) query_parameters: Option<String>,
    /// One more query parameter, name=value; repeatable
    #[arg(long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(super) query: Vec<String>,
    /// The request body: JSON, or @FILE to read it from a file
    #[arg(long, visible_alias = "body", value_name = "BODY", allow_hyphen_values = true)]
    pub(super) request_body: Option<String>,
    /// basic, bearer, apiKey, oauth-client-credentials-flow or noAuth [default: what the other flags imply]
    #[arg(long, value_name = "TYPE", allow_hyphen_values = true)]
    pub(super) authentication_type: Option<String>,
    /// Basic: user name
    #[arg(long, value_name = "USER", allow_hyphen_values = true)]
    pub(super) username: Option<String>,
    /// Basic: password. Other users can see your command line: write '{{secrets.NAME}}' here and for every other credential
    #[arg(long, value_name = "PASSWORD", allow_hyphen_values = true)]
    pub(super) password: Option<String>,
    /// Bearer: token
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true)]
    pub(super) token: Option<String>,
    /// API key: name of the header or query parameter [default: x-sn-apikey]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(super) api_key_name: Option<String>,
    /// API key: the key
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(super) api_key_value: Option<String>,
    /// API key: headers or query [default: headers]
    #[arg(long, value_name = "LOCATION", allow_hyphen_values = true)]
    pub(super) api_key_location: Option<String>,
    /// OAuth: client ID
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(super) client_id: Option<String>,
    /// OAuth: client secret
    #[arg(long, value_name = "SECRET", allow_hyphen_values = true)]
    pub(super) client_secret: Option<String>,
    /// OAuth: token endpoint [default: /oauth_token.do on the instance]
    #[arg(long, value_name = "URL", allow_hyphen_values = true)]
    pub(super) oauth_token_endpoint: Option<String>,
    /// OAuth: scopes, separated by white space
    #[arg(long, value_name = "SCOPES", allow_hyphen_values = true)]
    pub(super) scopes: Option<String>,
    /// OAuth: audience, if the token endpoint requires one
    #[arg(long, value_name = "AUDIENCE", allow_hyphen_values = true)]
    pub(super) audience: Option<String>,
    /// OAuth: credentialsBody or basicAuthHeader [default: credentialsBody]
    #[arg(long, value_name = "HOW", allow_hyphen_values = true)]
    pub(super) client_authentication: Option<String>,
    /// The domain after the instance's name, for example servicenowservices.com [default: service-now.com]
    #[arg(long, value_name = "DOMAIN", allow_hyphen_values = true)]
    pub(super) domain: Option<String>,
    /// An origin to call instead of instance and domain: https://flows.example.com
    #[arg(long, value_name = "ORIGIN", allow_hyphen_values = true)]
    pub(super) endpoint: Option<String>,
    /// Connect timeout in seconds; 0: no limit [default: 20]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(super) connection_timeout: Option<String>,
    /// Read timeout in seconds: how long the instance may stay silent; until the response begins, the connect timeout is added to it; 0:
    /// no limit [default: 20]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub(super) read_timeout: Option<String>,
    /// The largest response body to read, in bytes [default: 1048576]
    #[arg(long, value_name = "BYTES", allow_hyphen_values = true)]
    pub(super) max_response_bytes: Option<String>,
}

pub(super) type Field<'a> = (&'static str, &'a Option<String>);

impl Flags {
    /// Whether no flag was given.
    pub(super) fn are_none(&self) -> bool {
        self.values().next().is_none()
    }

    /// All given values.
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

    /// The text fields at the input's top level.
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

    /// The authentication types, and the members of `authentication` for each.
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
