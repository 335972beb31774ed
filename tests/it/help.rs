//! Help and pages about it: help cannot change unnoticed, examples parse, and the reference matches the program.

use std::fs;
use std::path::Path;

use azure_ai_models::testing::{AZD_PROGRAM, PROGRAM, parse};
use azure_ai_models_core::env::var::{TABLE, Variable};

use crate::support::TestEnv;

/// Pages for users, whose commands and options must exist.
const PAGES: [&str; 3] = ["README.md", "docs/uploads.md", "docs/checks.md"];

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Summary of each command, and the full page of some; the short forms have the same help.
#[test]
fn help_is_unchanged() {
    let mut env = TestEnv::new();
    env.set("COLUMNS", "100");
    let names: Vec<String> = examples(&env).into_iter().map(|(name, _)| name.join(" ")).collect();
    let is_short_form = |name: &&String| names.contains(&format!("custom {name}")) && *name != "deployments";
    let named = names.iter().filter(|name| !is_short_form(name) && !name.starts_with("uploads ")).map(String::as_str);
    let summaries = std::iter::once("").chain(named).map(|name| format!("{name} -h"));
    let whole = ["", "custom create", "custom list"].map(|name| format!("{name} --help"));
    let mut pages = String::new();
    for line in summaries.chain(whole) {
        let output = env.run(&line.split_whitespace().collect::<Vec<_>>()).success();
        assert_eq!(output.stderr, "", "{line}");
        pages = format!("{pages}$ {PROGRAM} {}\n{}\n", line.trim_start(), output.stdout);
    }
    insta::assert_snapshot!(pages);
}

/// `-h` fits on a screen or two; `--help` includes what it omits.
#[test]
fn summary_is_short_and_page_is_complete() {
    let mut env = TestEnv::new();
    env.set("COLUMNS", "110");
    for (name, _) in examples(&env) {
        let page = |option| {
            let args: Vec<&str> = name.iter().map(String::as_str).chain([option]).collect();
            env.run(&args).success().stdout
        };
        let (summary, page) = (page("-h"), page("--help"));
        let limit = if name.last().is_some_and(|last| last == "create") { 60 } else { 40 };
        let lines = summary.lines().count();
        assert!(lines <= limit, "the summary of {name:?} has {lines} lines:\n{summary}");
        for (text, options) in
            [(&summary, &["-e <", "-o, ", "-q, ", "-h, "][..]), (&page, &["--cwd", "--debug", "--docs"])]
        {
            let (_, global) = text.split_once("\nGlobal options:\n").unwrap_or_else(|| panic!("{name:?}: {text}"));
            let after = global.lines().find(|line| line.ends_with(" options:"));
            assert_eq!(after, None, "options after the global ones in {name:?}");
            assert!(options.iter().all(|option| global.contains(option)), "{name:?}: {text}");
        }
        assert!(!summary.contains("--debug"), "{summary}");
    }
}

/// Pasted examples call the program as the user did.
#[test]
fn pages_name_the_program_as_called() {
    let mut env = TestEnv::new();
    for (run_by_azd, own, other) in [(false, PROGRAM, AZD_PROGRAM), (true, AZD_PROGRAM, PROGRAM)] {
        if run_by_azd {
            env.set("AZD_SERVER", "127.0.0.1:9");
        }
        for option in ["-h", "--help"] {
            let help = env.run(&["custom", "create", option]).success().stdout;
            assert!(help.contains(&format!("\nUsage: {own} custom create ")), "{help}");
            assert!(
                help.contains(&format!("  {own} custom create --name my-model --source hf://org/repo\n")),
                "{help}"
            );
            assert!(!help.contains(other), "{help}");
        }
    }
}

/// Each command with its examples in azd's metadata; the program itself has none there.
fn examples(env: &TestEnv) -> Vec<(Vec<String>, Vec<String>)> {
    fn collect(commands: &serde_json::Value, found: &mut Vec<(Vec<String>, Vec<String>)>) {
        for command in commands.as_array().into_iter().flatten() {
            let texts = |list: &serde_json::Value, text: fn(&serde_json::Value) -> &serde_json::Value| {
                let all = list.as_array().into_iter().flatten();
                all.map(|one| text(one).as_str().expect("a string").to_owned()).collect::<Vec<_>>()
            };
            found.push((texts(&command["name"], |name| name), texts(&command["examples"], |one| &one["command"])));
            collect(&command["subcommands"], found);
        }
    }
    let mut found = Vec::new();
    collect(&env.run(&["metadata"]).success().json()["commands"], &mut found);
    found
}

/// An example is pasted into a shell, where half a command has another effect.
#[test]
fn examples_are_never_wrapped() {
    let mut env = TestEnv::new();
    let commands = examples(&env);
    assert!(commands.len() > 25, "{commands:?}");
    for width in ["60", "80", "110"] {
        env.set("COLUMNS", width);
        for (name, examples) in &commands {
            let args: Vec<&str> = name.iter().map(String::as_str).chain(["--help"]).collect();
            let help = env.run(&args).success().stdout;
            assert!(!examples.is_empty(), "{name:?}");
            for example in examples {
                let example = example.replace(AZD_PROGRAM, PROGRAM);
                let whole = help.lines().any(|line| line.starts_with("  ") && line.trim_start() == example);
                assert!(whole, "{name:?} at {width} breaks '{example}':\n{help}");
            }
            assert!(!help.contains('\u{a0}'), "a space that no shell recognises: {help}");
        }
        let root = env.run(&[]).success().stdout;
        assert!(
            root.contains("\n  azure-ai-models custom create --name my-model --source ./model-weights\n"),
            "{root}"
        );
        assert!(
            root.contains("\n  0 success          3 not found       6 model check failed     9 service or network\n")
        );
    }
}

/// If the next word would still fit on a line, the text was already wrapped for another width.
#[test]
fn prose_is_wrapped_once() {
    let mut env = TestEnv::new();
    for (name, _) in examples(&env) {
        for width in [60, 80, 110] {
            env.set("COLUMNS", &width.to_string());
            let args: Vec<&str> = name.iter().map(String::as_str).chain(["--help"]).collect();
            let help = env.run(&args).success().stdout;
            let lines: Vec<&str> = help.lines().collect();
            for pair in lines.windows(2) {
                let is_prose = |line: &str| line.starts_with(|c: char| !c.is_whitespace()) && !line.ends_with(':');
                if is_prose(pair[0]) && is_prose(pair[1]) {
                    assert!(pair[0].chars().count() <= width, "{name:?} at {width}: {}", pair[0]);
                    let next = pair[1].split(' ').next().expect("a string");
                    let has_room = pair[0].chars().count() + 1 + next.chars().count() <= width;
                    assert!(!has_room, "{name:?} at {width}: '{next}' fits after '{}'", pair[0]);
                }
            }
        }
    }
}

/// The short forms are the same commands, so they have the same help, except for the name.
#[test]
fn short_forms_have_the_same_help() {
    let env = TestEnv::new();
    let custom = env.run(&["custom", "--help"]).success().stdout;
    let commands = custom.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // `deployments` alone lists the deployments of all models.
    let is_short = |command: &&str| !["deployments", "help"].contains(command);
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).filter(is_short).collect();
    assert!(commands.len() >= 9, "{custom}");
    for command in commands {
        let long = env.run(&["custom", command, "--help"]).success().stdout;
        let short = env.run(&[command, "--help"]).success().stdout;
        assert_eq!(
            long.replace(&format!("Usage: {PROGRAM} custom {command}"), &format!("Usage: {PROGRAM} {command}")),
            short
        );
    }
}

/// Lines of code blocks that call the program.
fn commands_of(readme: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside
            && let Some(at) = [PROGRAM, AZD_PROGRAM].iter().find_map(|program| line.find(&format!("{program} ")))
        {
            let command = line[at..].split("  #").next().unwrap_or_default().trim_end();
            // Also matches `source <(azure-ai-models completion bash)`.
            found.push(command.trim_end_matches(')').replace(AZD_PROGRAM, PROGRAM));
        }
    }
    assert!(!inside, "an unterminated code block");
    found
}

#[test]
fn examples_in_the_documentation_parse() {
    let commands = PAGES.iter().flat_map(|page| commands_of(&file(page))).collect::<Vec<_>>();
    assert!(commands.len() >= 30, "{commands:?}");
    for command in commands {
        let mut words = shell_words::split(&command).expect("valid shell words");
        // Redirections are not part of the command.
        words.truncate(words.iter().position(|word| word == ">" || word == "|").unwrap_or(words.len()));
        if let Err(printed) = parse(words.into_iter().map(Into::into).collect()) {
            panic!("{command}: {printed}");
        }
    }
}

/// Matches `custom create`, `--source-file` and the like in running text.
#[test]
fn options_in_the_documentation_exist() {
    let env = TestEnv::new();
    let mut known = String::new();
    for command in [
        &["--help"][..],
        &["create", "--help"],
        &["list", "--help"],
        &["update", "--help"],
        &["delete", "--help"],
        &["wait", "--help"],
        &["doctor", "--help"],
        &["verify", "--help"],
        &["download", "--help"],
        &["custom", "deployments", "create", "--help"],
        &["base", "list", "--help"],
        &["base", "deployments", "create", "--help"],
    ] {
        known += &env.run(command).success().stdout;
    }
    for page in PAGES {
        for span in file(page).split('`').skip(1).step_by(2).filter(|span| span.starts_with("--")) {
            let option = span.split([' ', '=']).next().unwrap_or_default();
            assert!(known.contains(option), "{page} names {option}, which no help lists");
        }
    }
}

/// Reference of the command line page, as generated from the program and the table of variables.
fn reference(env: &TestEnv) -> String {
    let skill = env.run(&["skill"]).success().stdout;
    let (_, from_program) = skill.split_once("\n## Exit codes\n").expect("exit codes");
    let from_program =
        format!("### Exit codes\n{from_program}").replace("\n### ", "\n#### ").replace("\n## ", "\n### ");
    let mut text = format!("{}\n\n### Environment variables\n\n", from_program.trim_end());
    text.push_str("| variable | meaning |\n|---|---|\n");
    for Variable { name, description, default, .. } in TABLE {
        let default = if default.is_empty() { String::new() } else { format!(" Default: `{default}`.") };
        text = format!("{text}| `{name}` | {description}{default} |\n");
    }
    text
}

#[test]
fn command_line_page_has_the_generated_reference() {
    let page = file("design/cli.md");
    let marker = "INSTA_UPDATE=always cargo test --locked --features test-fakes --test it -- help -->\n";
    let (own, found) = page.split_once(marker).expect("the marker of the generated part");
    let reference = reference(&TestEnv::new());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("design/cli.md");
        fs::write(path, format!("{own}{marker}{reference}")).expect("written");
    } else {
        let lines = found.lines().zip(reference.lines()).find(|(found, wanted)| found != wanted);
        assert!(found == reference, "design/cli.md differs from the program at {lines:?}; to renew it: {marker}");
    }
}
