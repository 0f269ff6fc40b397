//! What of the contract's types is overwritten when it is dropped: whatever can hold a credential.
//!
//! A success's answer is not among it: it goes to the process as it came.

use zeroize::Zeroize;

use super::contract::{AccessToken, ApiKey, Authentication, ClientCredentials, Credentials, FlowConfig, TokenRequest};

impl Drop for Credentials {
    fn drop(&mut self) {
        self.username.zeroize();
        self.password.zeroize();
    }
}

impl Drop for ApiKey {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl Drop for ClientCredentials {
    fn drop(&mut self) {
        self.token_url.zeroize();
        self.client_id.zeroize();
        self.client_secret.zeroize();
    }
}

impl Drop for Authentication {
    fn drop(&mut self) {
        // The others wipe themselves.
        if let Self::Bearer(token) = self {
            token.zeroize();
        }
    }
}

impl Drop for TokenRequest {
    fn drop(&mut self) {
        self.endpoint.zeroize();
    }
}

impl Drop for AccessToken {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

impl Drop for FlowConfig {
    fn drop(&mut self) {
        self.endpoint.zeroize();
        self.path.zeroize();
        self.body.zeroize();
        for (_, value) in self.headers.iter_mut().chain(&mut self.query) {
            value.zeroize();
        }
    }
}
