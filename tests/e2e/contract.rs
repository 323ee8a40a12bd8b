//! The API's description in the repository is that of the code.

use std::{fs, path::Path};

#[expect(
    clippy::disallowed_methods,
    reason = "whoever rewrites examples says so in the environment"
)]
#[test]
fn the_description_of_the_api_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../backupd/api/openapi.json");
    let made = serde_json::to_string_pretty(&backupd::http::describe()).unwrap() + "\n";
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        fs::write(&file, &made).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap();
    assert!(
        kept == made,
        "{} is not what the code says: run with UPDATE_EXAMPLES=1 and look at the difference",
        file.display()
    );
}
