use super::*;

fn mask(secrets: &[&str]) -> Mask {
    let mut mask = Mask::default();
    secrets.iter().for_each(|secret| mask.add(secret));
    mask
}

#[test]
fn a_credential_is_masked_in_each_form_in_which_it_is_given_or_sent() {
    let secret = "p\"a/ss wö";
    let mask = mask(&[secret]);
    for form in [
        secret,
        "p%22a%2Fss+w%C3%B6",
        "p%22a%2Fss%20w%C3%B6",
        "p\\\"a/ss wö",
        "p\\\"a\\/ss wö",
        &base64(secret.as_bytes()),
    ] {
        assert_eq!(mask.text(&format!("<{form}>")), "<***>", "{form}");
    }
}

#[test]
fn basic_authentication_is_masked_as_it_is_sent() {
    let mut mask = Mask::default();
    mask.add_pair("admin", "hunter22");
    assert_eq!(mask.text("Basic YWRtaW46aHVudGVyMjI="), "Basic ***");
}

#[test]
fn fewer_than_four_characters_are_no_secret() {
    assert_eq!(mask(&["abc"]).text("abc"), "abc");
    assert_eq!(mask(&["äöü"]).text("äöü"), "äöü");
    assert_eq!(mask(&["abcd"]).text("abcd"), "***");
}

#[test]
fn credentials_that_overlap_leave_nothing_between_them() {
    let mask = mask(&["abcdef", "defghi", "cdef"]);
    assert_eq!(mask.text("<abcdefghi>"), "<***>");
    assert_eq!(mask.text("<abcdefdefghi>"), "<******>");
    assert_eq!(self::mask(&["abab"]).text("<ababab>"), "<***>");
}

#[test]
fn of_two_credentials_the_longer_is_masked_whole() {
    assert_eq!(mask(&["abcd", "abcdefgh"]).text("<abcdefgh>"), "<***>");
    assert_eq!(mask(&["cdef", "abcdefgh"]).text("<abcdefgh>"), "<***>");
}

#[test]
fn a_cut_through_a_credential_leaves_nothing_of_it() {
    let mask = mask(&["abcdabcdxyz"]);
    assert_eq!(mask.cut_text("<abcdabcdxy"), "<***");
    assert_eq!(mask.cut_text("<abcdabcd"), "<***");
    assert_eq!(mask.cut_text("<abcdabcdxyz"), "<***");
    assert_eq!(mask.cut_text("<abcd"), "<***");
    assert_eq!(mask.cut_text("<abc"), "<abc", "three characters are no secret");
    assert_eq!(mask.text("<abcdabcd"), "<abcdabcd", "nothing was cut");
}

// Found by the fuzz target `input`, on a seed of its own: our own messages shorten what they quote, and did so before they were masked.
#[test]
fn a_credential_that_was_shortened_is_masked() {
    let mask = mask(&["abcdabcdxyz", "pässword", "abcd–1"]);
    assert_eq!(mask.text("`abcdabcdx…`"), "`***…`");
    assert_eq!(mask.text("`pässw…` of pässword"), "`***…` of ***");
    assert_eq!(mask.text("`abcdabcdxyz…`"), "`***…`");
    assert_eq!(
        mask.text("abcd…"),
        "***…",
        "a dash begins with the same bytes as the ellipsis"
    );
    assert_eq!(mask.text("päs…"), "päs…", "three characters are no secret");
    assert_eq!(mask.text("abcd abce…"), "abcd abce…", "nothing was shortened");
}

#[test]
fn text_without_credentials_stays_as_it_is() {
    assert_eq!(mask(&["abcd"]).text("äbcd\u{fffd}\0 abc d"), "äbcd\u{fffd}\0 abc d");
    assert_eq!(Mask::default().cut_text("abcd"), "abcd");
}

#[test]
fn the_users_own_credential_headers_are_masked_with_and_without_their_scheme() {
    let mut mask = Mask::default();
    mask.add_header("AUTHORIZATION", "Basic dXNlcjpw");
    mask.add_header("cookie", "session=1234");
    mask.add_header("x-colour", "green");
    assert_eq!(
        mask.text("Basic dXNlcjpw dXNlcjpw session=1234 green"),
        "*** *** *** green"
    );
}

#[test]
fn every_authentication_has_its_secret_masked() {
    use crate::request::tests::{client, config};
    use crate::types::{ApiKey, ApiKeyLocation, Credentials};
    let basic = Credentials {
        username: "user".to_owned(),
        password: "s3cr3t/+".to_owned(),
    };
    let key = ApiKey {
        location: ApiKeyLocation::Query,
        name: "key".to_owned(),
        value: "s3cr3t/+".to_owned(),
    };
    for authentication in [
        Authentication::Basic(basic),
        Authentication::Bearer("s3cr3t/+".to_owned()),
        Authentication::ApiKey(key),
        Authentication::OauthClientCredentials(client()),
    ] {
        let mask = Mask::of_config(&FlowConfig {
            authentication,
            ..config()
        });
        assert_eq!(mask.text("<s3cr3t/+> <s3cr3t%2F%2B>"), "<***> <***>");
    }
    let sent = base64(b"the-client:s3cr3t%2F%2B");
    assert_eq!(Mask::of_client(&client()).text(&sent), "***");
}
