//! Models that already have a deployment.

use foundry_emulator::Arm;
use serde_json::json;

use crate::deployments::{SOURCE, create, custom, env, shown, with, writes};

#[test]
fn existing_deployment_of_the_same_model_is_kept() {
    let env = with(Arm { deployments: vec![custom("dep")], ..Arm::default() });
    let keep = |more: &[&str]| create(&env, &[&["--if-not-exists"], more].concat());
    // Nothing is billed, so no consent is needed.
    let output = keep(&["--no-prompt"]).success();
    assert!(output.stderr.contains("already exists: nothing was created"), "{output}");
    assert_eq!(keep(&["-o", "json"]).success().json(), shown(&env)[0]);
    let output = keep(&["--sku-capacity", "160"]).success();
    assert!(output.stderr.contains("WARNING: Deployment 'dep' has options other than"), "{output}");
    // The command needs no quotes in cmd.exe.
    let tag = if cfg!(windows) { "a=b" } else { "'a=b'" };
    let update = format!("azure-ai-models custom deployments update --name dep --sku-capacity 160 --set-tag {tag}\n");
    let output = keep(&["--sku-capacity", "160", "--tag", "a=b"]).success();
    assert!(output.stderr.contains(&update), "{output}");
    // The suggestion is the same command, or the one that lists what exists.
    let refused = create(&env, &["--sku-capacity", "160", "--tag", "a=b", "-y"]).fails_with(5);
    assert!(refused.stderr.contains(&update), "{refused}");
    for more in [&["-y"][..], &["-y", "--sku-capacity", "160", "--model-version", "2"]] {
        let refused = create(&env, more).fails_with(5);
        assert!(refused.stderr.contains("azure-ai-models deployments show --name dep\n"), "{refused}");
    }
    for other in [["--sku-name", "Standard"], ["--model-version", "2"], ["--model", "other"]] {
        keep(&other).fails_with(5);
    }
    assert_eq!(writes(&env), Vec::<String>::new());
    // A missing deployment is created after the consent.
    let env = self::env();
    create(&env, &["--if-not-exists", "--no-prompt"]).fails_with(2);
    create(&env, &["--if-not-exists", "--yes"]).success();
    assert_eq!(writes(&env), ["PUT dep"]);
    let failed = json!({"name": "bad", "sku": {"name": "S", "capacity": 1}, "properties": {"provisioningState": "Failed", "model": {"format": "FireworksCustom", "name": "my-model", "version": "1", "source": SOURCE}}});
    env.emulator().seed_deployment(&failed).expect("seeded");
    let args = ["custom", "deployments", "create", "-n", "bad", "--model", "my-model", "--if-not-exists"];
    let output = env.run(&args).fails_with(1);
    assert!(output.stderr.contains("custom deployments delete --name bad"), "{output}");
}

#[test]
fn model_that_is_deployed_is_not_deleted() {
    let env = with(Arm { deployments: vec![custom("one")], ..Arm::default() });
    env.emulator().seed(&json!({"name": "my-model", "version": "2"})).expect("seeded");
    let output = env.run(&["custom", "delete", "--name", "my-model", "--version", "1", "--force"]).fails_with(5);
    insta::assert_snapshot!(output, @r"
    ------- stderr -------
    ERROR: model 'my-model' (version 1) is deployed as 'one'

    Suggestion: Delete the deployments first:
      azure-ai-models deployments delete --name one
    [exit code: 5]
    ");
    env.run(&["custom", "delete", "--name", "my-model", "--version", "2", "--force"]).success();
    // Without a role on the account, the service decides.
    env.emulator().configure(|config| config.arm.hides_account = true);
    let output = env.run(&["custom", "delete", "--name", "my-model", "--version", "1", "--force"]).fails_with(5);
    assert!(output.stderr.contains("(ModelInUse)"), "{output}");
}
