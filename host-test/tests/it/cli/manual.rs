//! Help, completions and manual pages.

use super::workspace::Workspace;

#[test]
fn each_shell_has_completions() {
    let workspace = Workspace::new();
    for (shell, line) in [
        ("bash", "complete -F _flow__starter"),
        ("elvish", "edit:completion"),
        ("fish", "complete -c flow-starter"),
        ("powershell", "Register-ArgumentCompleter"),
        ("zsh", "#compdef flow-starter"),
    ] {
        let ended = workspace.run(&["completions", shell]).end();
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{shell}");
        assert!(ended.out.contains(line) && ended.out.contains("dry-run"), "{shell}");
    }
    assert_eq!(workspace.run(&["completions", "csh"]).end().code, 2);
}

/// In a real bash, where there is one: below the first word as well.
#[test]
fn bash_completes_a_commands_own_flags() {
    let workspace = Workspace::new();
    workspace.file("completions.bash", workspace.run(&["completions", "bash"]).end().out);
    for (words, completed) in [
        (&["tr"][..], "trigger"),
        (&["trigger", "--dr"], "--dry-run"),
        (&["secrets", "li"], "list"),
    ] {
        let (last, before) = words.split_last().unwrap();
        let script = format!(
            "source completions.bash\nCOMP_WORDS=(flow-starter {}); COMP_CWORD={}\n\
             $(complete -p flow-starter | sed 's/.*-F \\([^ ]*\\).*/\\1/') flow-starter '{last}' '{}'\necho \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len(),
            before.last().unwrap_or(&"flow-starter"),
        );
        let ran = std::process::Command::new("bash")
            .args(["--norc", "-c", &script])
            .current_dir(&workspace.folder)
            .output();
        let Ok(ran) = ran else { return };
        assert_eq!(
            String::from_utf8_lossy(&ran.stdout).trim(),
            completed,
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let workspace = Workspace::new();
    let ended = workspace.run(&["man"]).end();
    assert_eq!(ended.code, 0);
    assert!(
        ended.out.contains(".TH flow\\-starter 1") || ended.out.contains(".TH flow-starter 1"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("FLOW_STARTER_POLICY_ALLOW"),
        "settings are explained"
    );
    workspace.run(&["man", "--directory", "."]).end();
    let page = std::fs::read_to_string(workspace.folder.join("flow-starter-config-show.1")).unwrap();
    assert!(
        page.contains("FLOW_STARTER_OUTPUT_FORMAT") && !page.contains("proxy"),
        "{page}"
    );
    let ended = workspace.run(&["man", "--directory", "."]).end();
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "", ""));
    for page in [
        "flow-starter",
        "flow-starter-trigger",
        "flow-starter-secrets-list",
        "flow-starter-config-show",
    ] {
        assert!(workspace.folder.join(format!("{page}.1")).exists(), "{page}");
    }
    let ended = workspace.run(&["man", "--directory", "missing"]).end();
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("--directory must name an existing directory"),
        "{ended:?}"
    );
}

#[test]
fn every_commands_help_has_examples_and_its_exit_codes_where_they_differ() {
    let workspace = Workspace::new();
    for command in [
        &["trigger"][..],
        &["check"],
        &["inspect"],
        &["compile"],
        &["secrets", "list"],
        &["config", "show"],
        &["config", "example"],
        &["completions"],
        &["man"],
        &[],
    ] {
        let all: Vec<_> = command.iter().copied().chain(["--help"]).collect();
        let ended = workspace.run(&all).end();
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{command:?}");
        assert!(ended.out.contains("Examples:\n  flow-starter"), "{command:?}");
    }
    let help = workspace.run(&["trigger", "--help"]).end().out;
    for line in [
        "  0  started",
        "  1  flow-starter itself",
        "  2  bad input",
        "  3  not started",
        "  4  unknown",
        "  5  started, but the response is lost",
    ] {
        assert!(help.contains(line), "{line}");
    }
}

/// The settings of all commands would bury a command's own.
#[test]
fn a_commands_help_explains_its_own_settings_and_says_where_the_others_are() {
    let workspace = Workspace::new();
    let help = |command: &[&str]| {
        let run = command.iter().fold(workspace.run(&[]), |run, word| run.arg(word));
        run.arg("--help").end().out
    };
    let own = |command: &[&str]| help(command).matches("FLOW_STARTER_").count();
    for (command, settings) in [
        (&[][..], 0),
        (&["config"], 0),
        (&["config", "example"], 0),
        (&["completions"], 0),
        (&["man"], 0),
        (&["secrets"], 0),
    ] {
        assert_eq!(own(command), settings, "{command:?}: {}", help(command));
    }
    assert!(help(&["config"]).lines().count() < 30, "{}", help(&["config"]));
    for (command, shown, hidden) in [
        (&["config", "show"][..], "--output", "--proxy"),
        (&["secrets", "list"], "--secrets-file", "--proxy"),
        (&["inspect"], "--limit-memory", "--secrets-file"),
        (&["compile"], "--limit-memory", "--proxy"),
        (&["trigger"], "--secrets-bare-references", "--directory"),
        (&["check"], "--proxy", "--directory"),
    ] {
        let help = help(command);
        assert!(help.contains(&format!("  {shown} <")), "{command:?}: {help}");
        assert!(!help.contains(&format!("  {hidden} <")), "{command:?}: {help}");
        assert!(
            help.contains("flow-starter help settings") || own(command) > 20,
            "{help}"
        );
    }
    // Every setting and the configuration file.
    let all = workspace.run(&["help", "settings"]).end();
    assert_eq!(all.code, 0, "{all:?}");
    let names = workspace.run(&["config", "show", "--output=json"]).end().json();
    for setting in names["settings"].as_object().unwrap().values() {
        let variable = setting["variable"].as_str().unwrap();
        assert!(all.out.contains(variable) && own(&["trigger"]) > 20, "{variable}");
    }
    assert_eq!(workspace.run(&["settings"]).end().out, all.out);
    // A flag that the help does not explain is still taken.
    assert_eq!(workspace.run(&["config", "show", "--proxy", "none"]).end().code, 0);
}

#[test]
fn the_version_says_what_is_inside() {
    let workspace = Workspace::new();
    let size = std::fs::metadata(host_test::rig::component_file()).unwrap().len();
    let ended = workspace.run(&["--version"]).end();
    assert!(
        ended.out.contains(&format!("embedded component: {size} bytes")),
        "{ended:?}"
    );
}

#[test]
fn without_arguments_the_help_is_shown() {
    let ended = Workspace::new().run(&[]).end();
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("Usage: flow-starter"), "{ended:?}");
}
