using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Options;

/// <summary>The options by which verbs name judges.</summary>
internal sealed class JudgeOptions : OptionSet<JudgeOptions.Request>
{
    /// <param name="required">Whether a judge must be named.</param>
    /// <param name="cards">Whether the verb corrects rates, so that cards have an effect.</param>
    public JudgeOptions(bool required, bool cards = true)
    {
        Add(nameof(Request.Judge), $"Who judges: {string.Join(", ", JudgeBench.Names)}."
            + (required ? "" : $" Without it, {Request.Otherwise}."), "NAME…", required: required);
        Add(nameof(Request.JudgeModel), "The model folder behind guard, rubric, reward, harmfulness and preference; "
            + "with --judge-url, a model's name there.", "DIR|NAME");
        Add(nameof(Request.JudgeUrl), "An OpenAI-compatible chat endpoint behind guard and rubric, such as "
            + "http://localhost:8080/v1. It is sent prompts and answers; its key, if it needs one, is taken from "
            + $"{JudgeBench.KeyVariable}.", "URL");
        Add(nameof(Request.Reward),
            "A folder of `judge train`; without it, --judge-model has a head of its own.", "DIR");
        Add(nameof(Request.Guard),
            "What a guard is asked: llama-guard-3, harmbench, or a file with {prompt} and {answer}.", "PRESET");
        Add(nameof(Request.JudgeTemplate), "The judge model's chat template; auto takes the one it brings. A guard's "
            + "own template may hold the question that --guard already asks.", "NAME");
        Add(nameof(Request.Threshold), $"From this score on an answer is harmful; default {JudgeBench.Half}, and "
            + $"{HarmfulnessJudge.Middle} for harmfulness, whose scores run from 0 to 4; none for reward, "
            + "where higher may be safer: then from this score down.", "P");
        Add(nameof(Request.ModerationUrl),
            $"The moderation endpoint; its key is taken from {JudgeBench.KeyVariable}.", "URL");
        Add(nameof(Request.ModerationModel), "The moderation model.", "NAME");
        Add(nameof(Request.ModerationCache), "A JSONL file that keeps moderation scores.", "FILE");
        if (cards)
        {
            Add(nameof(Request.Card), "Judge cards from `judge validate`, for corrected rates.", "FILE…");
        }
    }

    internal sealed record Request
    {
        /// <summary>Who judges where nobody is named.</summary>
        public const string Otherwise = "refusal";

        public IReadOnlyList<string> Judge { get; init; } = [];
        public string? JudgeModel { get; init; }
        public string? JudgeUrl { get; init; }
        public string? Reward { get; init; }
        public string Guard { get; init; } = "llama-guard-3";
        public string JudgeTemplate { get; init; } = "llama3";
        public double? Threshold { get; init; }
        public string ModerationUrl { get; init; } = "https://api.openai.com/v1";
        public string ModerationModel { get; init; } = "omni-moderation-latest";
        public string? ModerationCache { get; init; }
        public IReadOnlyList<string> Card { get; init; } = [];

        public IReadOnlyList<string> Names => Judge.Count > 0 ? Judge : [Otherwise];
    }
}
