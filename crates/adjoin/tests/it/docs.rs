//! The documents hold. `docs/cli.md` and `docs/config.md` say what the binary says (`ADJOIN_UPDATE_DOCS=1` writes them),
//! and links lead somewhere.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use adjoin::{cli::Cli, config::Options};
use clap::{Args as _, Command, CommandFactory as _};

#[test]
fn the_command_line_reference_is_up_to_date() {
    let mut text = String::from(
        "# Command line\n\nGenerated from the program; do not edit.\n\n\
         Exit codes: 0 good, 1 the answer is no, 2 the input cannot be used, 3 something failed. Answers for machines \
         go to stdout, everything else to stderr.\n",
    );
    let mut cli = without_values(Cli::command().term_width(100));
    cli.build();
    describe(&mut text, &mut cli, "adjoin");
    compare("cli.md", &text);
}

#[test]
fn the_configuration_reference_is_up_to_date() {
    let mut text = String::from(
        "# Configuration\n\nGenerated from the program; do not edit.\n\n\
         A setting comes from a flag, else from the environment, else from the TOML file that `--config` or \
         `ADJOIN_CONFIG` names, else it has its default. A name that Adjoin does not know is an error.\n\n\
         | flag | environment | in the file | |\n| --- | --- | --- | --- |\n",
    );
    for argument in Options::augment_args(Command::new("options")).get_arguments() {
        let flag = argument.get_long().expect("a setting has a flag");
        let env = argument.get_env().expect("a setting has a variable").to_string_lossy();
        let help = argument.get_help().expect("a setting is explained").to_string().replace('|', "\\|");
        writeln!(text, "| `--{flag}` | `{env}` | `{}` | {help} |", argument.get_id()).unwrap();
    }
    text.push_str(BESIDE_THE_SETTINGS);
    compare("config.md", &text);
}

/// What no setting says, and who runs the service has to know.
const BESIDE_THE_SETTINGS: &str = "
## The key file
`adjoin serve` and `adjoin key rotate` end with an error when the key file does not open what is in the database, and `/readyz` answers 503 when
that comes about later. A file that others on the machine may read (a file of root's: others than its group) is a warning at each start, no error,
since secrets that are mounted into a container are often readable by all there. `chmod 600` ends it.

## Behind a reverse proxy
Whoever opens connect links and signs in is held to limits by network address. The address is the connection's; when that is of this machine or of a
private network (a proxy of yours), it is the last entry of `X-Forwarded-For`, which the nearest proxy has added. So let your proxy add the address it sees, and
let the service's port be reached by the proxy alone. What comes from a public address is not asked for that header. Besides, sign-in is limited for each e-mail
address.

## Who may post webhooks
Every webhook is checked by its signature, so nothing more is needed. Your proxy can check in addition that Meta is at the other end (mutual TLS): ask for a
client certificate on `/webhooks/facebook` only, trust Meta's own CA for what it sends (the file `meta-outbound-api-ca-2025-12.pem` in Meta's documentation;
certificates signed by DigiCert ended on 15 April 2026), and want the common name `client.webhooks.fbclientcerts.com`. Meta does not say that webhooks of Pages
always come with it, so let the proxy note who has none for some days before you refuse. With nginx:

```nginx
ssl_client_certificate /etc/nginx/meta-outbound-api-ca-2025-12.pem;
ssl_verify_client optional;
location = /webhooks/facebook {
    # \"$ssl_client_verify $ssl_client_s_dn\" belongs in the access log first.
    if ($ssl_client_verify != SUCCESS) { return 403; }
    if ($ssl_client_s_dn !~ \"CN=client\\.webhooks\\.fbclientcerts\\.com\") { return 403; }
    proxy_pass http://127.0.0.1:8080;
}
```

## Proxies for what goes out
`HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` have no effect on the service, the sandbox and the demo: calls to Meta and deliveries go out directly. A proxy would
look up the names of endpoints itself, past the check of their addresses. `adjoin call` and `adjoin forward` follow these variables (and `NO_PROXY`) when
the service is on another machine.
";

#[test]
fn every_link_in_the_documents_leads_to_a_file() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for document in documents(&root()) {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if path.is_empty() || path.contains("://") {
                continue;
            }
            checked += 1;
            if !document.parent().unwrap().join(path).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(checked > 20, "only {checked} links were found");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The Markdown files at the root and under `docs`.
fn documents(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("docs"), root.join("docs/decisions"), root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    found
}

/// The variables' values on this machine do not belong into the document.
fn without_values(command: Command) -> Command {
    command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(without_values)
}

fn describe(text: &mut String, command: &mut Command, name: &str) {
    let help = command.render_long_help().to_string();
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    write!(text, "\n## {name}\n\n```text\n{}\n```\n", help.trim_end()).unwrap();
    for inner in
        command.get_subcommands_mut().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
    {
        let name = format!("{name} {}", inner.get_name());
        describe(text, inner, &name);
    }
}

fn compare(file: &str, generated: &str) {
    let path = root().join("docs").join(file);
    if std::env::var_os("ADJOIN_UPDATE_DOCS").is_some() {
        fs::write(&path, generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/{file} is not what the program says. Run `ADJOIN_UPDATE_DOCS=1 cargo nextest run -p adjoin docs` and commit it"
    );
}

#[test]
fn the_api_document_is_up_to_date() {
    let text = serde_json::to_string_pretty(&adjoin::web::api::document()).unwrap();
    compare("openapi.json", &format!("{text}\n"));
}

/// What tools that read it rely on: 3.1, each operation named and explained, problems described, no loose end.
#[test]
fn the_api_document_is_whole() {
    let document = serde_json::to_value(adjoin::web::api::document()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{verb} {path} has no id"));
            assert!(ids.insert(id.to_owned()), "{id} stands twice");
            assert!(
                !operation["description"].as_str().unwrap_or_default().is_empty(),
                "{id} is not explained"
            );
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{id} has no good answer");
            for status in ["401", "default"] {
                let content = &responses[status]["content"];
                assert!(
                    content.get("application/problem+json").is_some(),
                    "{id} describes no problem for {status}"
                );
            }
            for name in path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
                let described = operation["parameters"].as_array().unwrap().iter();
                let found = described.filter(|it| it["in"] == "path" && it["name"] == name).count();
                assert_eq!(found, 1, "{id} describes {name} {found} times");
            }
        }
    }
    let text = document.to_string();
    assert!(!text.contains("[`"), "a link of the source stands in a description");
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
}
