use super::*;

mod encode;
mod forms;
mod linear;
mod properties;
mod whole;

fn mask(secrets: &[&str]) -> Mask {
    let mut mask = Mask::default();
    secrets.iter().for_each(|secret| mask.add(secret));
    mask
}

fn text(mask: &Mask, text: &str) -> String {
    mask.text(text.to_owned())
}

fn cut_text(mask: &Mask, text: &str) -> String {
    mask.cut_text(text.to_owned())
}

#[test]
fn a_mask_shows_nothing() {
    assert_eq!(format!("{:?}", mask(&["demo-password"])), "Mask(***)");
}

#[test]
fn masks_with_the_same_secrets_are_equal() {
    let both = mask(&["secret-one", "secret-two"]);
    let mut added = mask(&["secret-one"]);
    assert!(Mask::default().is_empty() && !added.is_empty());
    assert_ne!(added, both);
    added.add_all(&mask(&["secret-one", "secret-two"]));
    assert_eq!(added, both);
    assert_eq!(text(&added, "secret-one secret-two"), "*** ***");
}

#[test]
fn a_clone_stays_as_it_is_when_the_other_grows() {
    let mut first = mask(&["secret-one"]);
    assert_eq!(text(&first, "secret-one"), "***");
    let second = first.clone();
    first.add("secret-two");
    assert_eq!(text(&first, "secret-two"), "***");
    assert_eq!(text(&second, "secret-two"), "secret-two");
}

#[test]
fn a_clean_text_keeps_its_allocation() {
    let clean = "nothing of it: 100%, a\\b, AT&T, YWJj".to_owned();
    let place = clean.as_ptr();
    let out = mask(&["demo-password"]).text(clean);
    assert_eq!(out.as_ptr(), place);
}
