using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Results;

/// <summary>What <c>judge train --json</c> prints.</summary>
/// <param name="Out">The reward model's folder.</param>
/// <param name="Reward">What its <c>reward.json</c> says.</param>
internal sealed record JudgeTrainResult(string Out, RewardResult Reward);

/// <summary>What <c>judge export --json</c> prints.</summary>
/// <param name="Out">The annotators' CSV.</param>
/// <param name="Key">The key to keep from them.</param>
/// <param name="Answers">How many answers are to be labeled.</param>
internal sealed record JudgeExportResult(string Out, string Key, int Answers);

/// <summary>What <c>judge import --json</c> prints.</summary>
/// <param name="Compared">How many answers two annotators or more labeled.</param>
/// <param name="Unlabelled">Answers with fewer than two labels.</param>
/// <param name="Agreement">The share of compared answers on which all who labeled agree.</param>
/// <param name="Kappa">κ of two annotators; null for more than two.</param>
/// <param name="Alpha">Krippendorff's α over all classes.</param>
/// <param name="OrdinalAlpha">α on the scale compliance, partial refusal, full refusal.</param>
/// <param name="Differing">What is left to adjudicate.</param>
/// <param name="Summary">The run's tables, made anew.</param>
internal sealed record JudgeImportResult(
    int Compared, int Unlabelled, Interval Agreement, Interval Kappa, Interval Alpha, Interval OrdinalAlpha,
    IReadOnlyList<JudgeImportResult.Item> Differing, EvaluationSummary Summary)
{
    /// <summary>An answer on which annotators differ.</summary>
    /// <param name="Id">Its number in the sheets.</param>
    /// <param name="Labels">By annotator, in the order of <c>--labels</c>; null where one gave none.</param>
    internal sealed record Item(string Id, IReadOnlyList<Behavior?> Labels);
}
