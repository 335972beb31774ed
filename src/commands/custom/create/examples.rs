//! Examples on the help pages of `create`.

/// Examples of the summary.
pub(in crate::commands::custom) const SUMMARY: &str = "\
Examples:
  azd ai models custom create --name my-model --source ./model-weights
  azd ai models custom create -n my-adapter --source ./adapter --weight-type LoRA --base-model FW-GLM-4.7
  azd ai models custom create --name my-model --source hf://org/repo";

pub(in crate::commands::custom) const EXAMPLES: &str = "\
Examples:
  A directory with the weights:
    azd ai models custom create --name my-model --source ./model-weights

  Show what would be sent, and check the files:
    azd ai models custom create --name my-model --source ./model-weights --dry-run

  A second version, trained from a base model:
    azd ai models custom create -n my-model --version 2 --source ./weights --base-model FW-GLM-4.7

  A LoRA adapter:
    azd ai models custom create -n my-adapter --source ./adapter --weight-type LoRA --base-model FW-GLM-4.7

  Without the files of other formats:
    azd ai models custom create -n my-model --source ./weights --exclude \"*.bin\" --exclude original/

  A blob URL with a SAS, from a file because shells cut URLs at '&':
    azd ai models custom create --name my-model --source-file source-url.txt

  A Hugging Face repository, without a copy on this machine:
    azd ai models custom create --name my-model --source hf://org/repo

  Upload, register and deploy:
    azd ai models custom create -n my-model --source ./weights --base-model FW-GLM-4.7 --deploy

  In the background, so that the terminal can be closed:
    azd ai models custom create --name my-model --source ./model-weights --detach

  In two steps, to review the plan first:
    azd ai models custom create -n my-model --source ./weights --dry-run --with-hashes -o json > plan.json
    azd ai models custom create --plan plan.json

  In a pipeline, a new version only if the content changed:
    azd ai models custom create -n my-model --version auto --source ./weights --if-changed --no-prompt

  In a pipeline, a new version for each run:
    azd ai models custom create -n my-model --version auto --source ./weights --no-prompt -o json";
