//! Writes the element template and the documentation of its fields; `--check`: only says whether they are as the table has them.

use std::process::ExitCode;

fn main() -> ExitCode {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            eprintln!("{other} is not known here: no argument to write the files, --check to compare them.");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for (path, text) in flow_starter_templates::outputs() {
        let name = path.file_name().unwrap_or_default().display();
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            println!("{name}: as the table has it");
        } else if check {
            eprintln!("{name} is not what the table of fields says: run `make templates` and commit what it writes.");
            code = ExitCode::FAILURE;
        } else if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{name} cannot be written: {error}");
            code = ExitCode::FAILURE;
        } else {
            println!("{name}: written");
        }
    }
    code
}
