using System.Text.Json.Serialization;

namespace SafeLlama.Evaluation;

/// <summary>The result of an attack run, as <c>attack.json</c> keeps it.</summary>
/// <param name="Version">The program's version.</param>
/// <param name="Model">The identity of the model without an attack.</param>
/// <param name="Seed">Of every random choice.</param>
/// <param name="Prompts">How many unsafe prompts were attacked.</param>
/// <param name="Trials">What was tried, in order.</param>
/// <param name="Judges">The result by each judge.</param>
public sealed record AttackResults(
    string Version,
    string Model,
    long Seed,
    int Prompts,
    IReadOnlyList<AttackTrialEntry> Trials,
    IReadOnlyList<AttackJudgment> Judges)
{
    public const string FileName = "attack.json";

    /// <summary>Always <c>attack</c>.</summary>
    [JsonPropertyOrder(-2)]
    public string Kind { get; init; } = "attack";

    /// <summary>The version of this form.</summary>
    [JsonPropertyOrder(-1)]
    public int Format { get; init; } = 1;

    /// <summary>What the user calls model and adapter.</summary>
    public RunManifest.RunNames? Names { get; init; }

    /// <summary>The suites attacked.</summary>
    public required IReadOnlyList<RunManifest.SuiteEntry> Suites { get; init; }

    /// <summary>The suites that measure utility.</summary>
    public required IReadOnlyList<RunManifest.SuiteEntry> Benign { get; init; }

    /// <summary>The least quality of a changed model that counts, as a share of the clean model's.</summary>
    public required double QualityBound { get; init; }

    /// <summary>Whether judges read a prefilled beginning as part of the answer.</summary>
    public required bool JudgePrefill { get; init; }

    /// <summary>What was left out, and what a reader should know, one line each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
}

/// <summary>One attempt.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Setting">Its setting.</param>
/// <param name="About">What it does.</param>
/// <param name="ChangesModel">Whether the utility bound applies to it.</param>
public sealed record AttackTrialEntry(string Attack, string Setting, string About, bool ChangesModel)
{
    /// <summary>Attack and setting, and the name of its folder below <c>trials/</c>.</summary>
    public string Name => NameOf(Attack, Setting);

    /// <summary>Why it was not made; absent where it was.</summary>
    public string? NotRun { get; init; }

    /// <summary>Remarks on it, one line each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>A name that is a folder's on every system.</summary>
    public static string NameOf(string attack, string setting) => string.Concat(
        $"{attack}-{setting}".ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '-'));
}

/// <summary>What one judge says of all attempts.</summary>
/// <param name="Judge">The judge's name.</param>
/// <param name="Hash">Its identity.</param>
/// <param name="Scale">Its scores, in words.</param>
/// <param name="Clean">The rate without an attack.</param>
/// <param name="Trials">The attempts that were made, in order.</param>
/// <param name="Attacks">Each attack by its best attempt.</param>
/// <param name="Curve">The best attempt so far against the number of attempts.</param>
public sealed record AttackJudgment(
    string Judge,
    string Hash,
    string Scale,
    MetricRow Clean,
    IReadOnlyList<AttackTrialResult> Trials,
    IReadOnlyList<AttackSummary> Attacks,
    IReadOnlyList<AttackCurvePoint> Curve)
{
    /// <summary>Utility without an attack; absent where none was measured.</summary>
    public AttackQuality? CleanQuality { get; init; }
}

/// <summary>One attempt by one judge.</summary>
/// <param name="Name">Attack and setting.</param>
/// <param name="Success">The rate of success among valid, scored answers, with Wilson's limits.</param>
/// <param name="Share">Successes among all prompts of the run: an answer that is invalid, unscored or missing is no
/// success.</param>
/// <param name="Against">The paired test against the clean run.</param>
public sealed record AttackTrialResult(string Name, MetricRow Success, double Share, AttackPairs Against)
{
    /// <summary>Utility under the attack; absent where the model stays as it is.</summary>
    public AttackQuality? Quality { get; init; }

    /// <summary>Answers to unsafe prompts that ended at the limit of tokens.</summary>
    public int CutOff { get; init; }

    /// <summary>Whether the utility bound is kept, so that the attempt counts.</summary>
    public required bool Counts { get; init; }
}

/// <summary>Exact paired test of McNemar: only prompts with a verdict in both runs count.</summary>
/// <param name="Pairs">Prompts with a valid, scored answer in both runs.</param>
/// <param name="OnlyAttack">Successes under the attack alone.</param>
/// <param name="OnlyClean">Successes in the clean run alone.</param>
/// <param name="P">Two-sided; 1 where the runs do not differ, NaN without pairs.</param>
public readonly record struct AttackPairs(int Pairs, int OnlyAttack, int OnlyClean, double P);

/// <summary>Utility on benign prompts.</summary>
/// <param name="Measure"><c>exact</c>: the expected answer, word for word; <c>answered</c>: valid and no
/// refusal.</param>
/// <param name="Value">The share, with Wilson's limits; a judge's failure is left out.</param>
/// <param name="N">Prompts behind it.</param>
public sealed record AttackQuality(string Measure, Interval Value, int N)
{
    /// <summary>The share of the clean run's quality; absent for the clean run itself.</summary>
    public double? Ratio { get; init; }
}

/// <summary>One attack: its best attempt within the utility bound, tested over all its attempts.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Trials">Attempts made.</param>
/// <param name="Best">The attempt with the most successes; absent where none counts or none succeeded.</param>
/// <param name="P">The p of the best attempt (where none succeeds, the least) times their number, at most 1; NaN where
/// nothing could be tested.</param>
/// <param name="PHolm">Adjusted over all attacks.</param>
/// <param name="Finding">What it says, in words.</param>
public sealed record AttackSummary(
    string Attack, int Trials, string? Best, double P, double PHolm, string Finding);

/// <summary>The state after so many attempts.</summary>
/// <param name="Trial">The number of attempts made.</param>
/// <param name="Name">The last one.</param>
/// <param name="Best">The most successes of one attempt so far, among all prompts, with Wilson's limits.</param>
/// <param name="BestName">The attempt that has them; absent where none succeeded.</param>
/// <param name="Any">The share of prompts on which some attempt so far succeeded, with Wilson's limits.</param>
public sealed record AttackCurvePoint(int Trial, string Name, Interval Best, string? BestName, Interval Any);
