using SafeLlama.Cli.Results;
using SafeLlama.Cli.Study;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Study;
using SafeLlama.Training;

namespace SafeLlama.Cli.Tests;

/// <summary>What the page of JSON forms shows, by heading; a file's name is a pattern of its path.</summary>
internal static class JsonParts
{
    public static readonly (string Heading, (string Name, Type Type)[] Objects)[] All =
    [
        ("Results", [
            ("`train`", typeof(FineTuneResult)),
            ("`train --dry-run`", typeof(PlanRecord)),
            ("`generate`, one object a line", typeof(PromptAnswer)),
            ("`score`", typeof(ScoreResult)),
            ("`inspect`", typeof(InspectResult)),
            ("`merge`", typeof(MergeResult)),
            ("`quantize`", typeof(QuantizeResult)),
            ("`export`", typeof(ExportResult)),
            ("`data check`", typeof(CheckResult)),
            ("`data show`", typeof(ShowResult)),
            ("`data mix`", typeof(MixResult)),
            ("`data pairs`", typeof(PairsResult)),
            ("`data convert`", typeof(ConvertResult)),
            ("`data tokenizer`", typeof(TokenizerResult)),
            ("`evaluate`; beside it `capability`, where tests of capability are asked too", typeof(EvaluationSummary)),
            ("`evaluate` with tests of capability alone", typeof(CapabilityResult)),
            ("`judge run`", typeof(EvaluationSummary)),
            ("`attack`", typeof(AttackResults)),
            ("`attack --dry-run`", typeof(AttackPlanResult)),
            ("`compare`", typeof(Comparison)),
            ("`judge validate`", typeof(JudgeCard)),
            ("`judge train`", typeof(JudgeTrainResult)),
            ("`judge export`", typeof(JudgeExportResult)),
            ("`judge import`", typeof(JudgeImportResult)),
            ("`runs`", typeof(IReadOnlyList<RunEntry>)),
            ("`runs --answers`", typeof(IReadOnlyList<AnswerEntry>)),
            ("`evaluate --list`", typeof(SuiteList)),
            ("`study`", typeof(StudyResults)),
            ("`study --dry-run`", typeof(StudyPlanResult)),
            ("`study --list`", typeof(IReadOnlyList<RecipeEntry>)),
            ("`study world`", typeof(WorldSamples)),
            ("`study world --out`", typeof(WorldResult)),
            ("`study base`", typeof(BaseResult)),
            ("`doctor`", typeof(DoctorResult)),
            ("`doctor --kernel`", typeof(KernelResult)),
            ("any verb with `--help --json`", typeof(HelpJson)),
        ]),
        ("Files of `train`", [
            ("`run.json`", typeof(RunFile)),
            ("`mixture.json`, and `*.manifest.json` of `data mix`", typeof(MixtureManifest)),
            ("`metrics.jsonl`, a step", typeof(StepMetrics)),
            ("`metrics.jsonl`, a validation", typeof(ValidationMetrics)),
            ("`timings.jsonl`", typeof(StepTiming)),
            ("`checkpoints/step-*/trainer_state.json`", typeof(TrainerState)),
            ("`prompt_template.json` beside an adapter or a model", typeof(TemplateFields)),
        ]),
        ("Files of `evaluate`, `judge` and `compare`", [
            ("`run.json`", typeof(RunManifest)),
            ("`prompts.jsonl`", typeof(SuitePrompt)),
            ("`responses.jsonl`", typeof(Response)),
            ("`verdicts.jsonl`", typeof(Verdict)),
            ("`summary.json`", typeof(EvaluationSummary)),
            ("`card-*.json`: the card of a judge, by the judge's hash", typeof(JudgeCard)),
            ("`timings.json`", typeof(EvaluationTimings)),
            ("`comparison.json`", typeof(Comparison)),
            ("`capability.json`", typeof(CapabilityResult)),
            ("`capability-run.json`", typeof(CapabilityRun)),
            ("`capability.jsonl`", typeof(ChoiceRecord)),
            ("`reward.json` of `judge train`", typeof(RewardResult)),
            ("`*.key.jsonl` of `judge export`", typeof(HumanLabels.KeyRow)),
            ("the file of `--moderation-cache`, a line", typeof(ModerationScore)),
        ]),
        ("Files of `attack`; `clean/` and `trials/*/answers/` are folders of `evaluate`", [
            ("`attack.json`", typeof(AttackResults)),
            ("`trials/*/trial.json`", typeof(AttackTrialFile)),
            ("`trials/suffix-*/search.jsonl`", typeof(SuffixFound)),
            ("`artifacts/*.json`, in JailbreakBench's form", typeof(JailbreakArtifact)),
        ]),
        ("Files of `study`", [
            ("`results.json`", typeof(StudyResults)),
            ("`recipe.json`: the recipe as the folder was begun", typeof(StudyRecipe)),
            ("`timings.json`: seconds by replicate", typeof(IReadOnlyDictionary<string, double>)),
            ("`plan.json` of a replicate", typeof(ArmPlan)),
            ("`training.json` of a replicate", typeof(TrainingSummary)),
            ("`lesson.json`: what is found inside one tuned model", typeof(StudyLesson)),
            ("`directions.json`: the refusal directions of the arms, compared", typeof(StudyDirections)),
            ("`world.json` of `study world`", typeof(WorldManifest)),
            ("`tuning/*.jsonl`", typeof(WorldTuningRow)),
            ("`attacks/wrappers.jsonl`", typeof(WorldWrapperRow)),
            ("`suites/*/*.jsonl`", typeof(WorldPromptRow)),
            ("`made.json` of `study base`", typeof(MadeBase)),
        ]),
        ("Files of `lab`", [
            ("`class-seed-*.json` of the room Class", typeof(ClassResult)),
        ]),
    ];

    /// <summary>Files whose form is another program's.</summary>
    public static readonly (string Name, string Form)[] Foreign =
    [
        ("`adapter_config.json`", "PEFT's"),
        ("`config.json`, `generation_config.json`", "Hugging Face's, of a model"),
        ("`tokenizer.json`, `tokenizer_config.json`, `special_tokens_map.json`", "Hugging Face's, of a tokenizer"),
        ("`template.json`", "alpaca-lora's, of a prompt template"),
    ];
}
