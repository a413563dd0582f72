using System.Text.Json.Serialization;
using SafeLlama.Common;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Study;

/// <summary>A study: one question, the arms that answer it, and the claims that it tests.</summary>
public sealed record StudyRecipe
{
    /// <summary>A short name, such as <c>safety-dose</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is called by: its name, or the file that it was read from.</summary>
    [JsonIgnore]
    public string? From { get; init; }

    /// <summary>What the study asks, in one sentence.</summary>
    public required string Question { get; init; }

    /// <summary>Folders of base models; <c>miniature</c> and <c>miniature-wide</c> come with the program.</summary>
    public IReadOnlyList<string> Models { get; init; } = [Miniature];

    /// <summary>Where tuning rows and prompts come from.</summary>
    public StudyData Data { get; init; } = new();

    /// <summary>The training settings of every arm, unless the arm overrides them.</summary>
    public StudyTraining Training { get; init; } = new();

    /// <summary>How answers are decoded.</summary>
    public StudyDecoding Decoding { get; init; } = new();

    /// <summary>The arms; each is trained once for every model and seed.</summary>
    public required IReadOnlyList<StudyArm> Arms { get; init; }

    /// <summary>Tuning seeds: each draws its own rows, order and adapter.</summary>
    public IReadOnlyList<long> Seeds { get; init; } = [1];

    /// <summary>Judges besides the refusal matcher; every arm's evaluation holds their scores.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<StudyJudge>? Judges { get; init; }

    /// <summary>The metrics of each arm; by default those of the world (<see cref="WorldMetrics"/>).</summary>
    public IReadOnlyList<StudyMetric> Metrics { get; init; } = [];

    /// <summary>The claims that the results are tested against.</summary>
    public IReadOnlyList<Claim> Claims { get; init; } = [];

    /// <summary>Attacks made on every arm; null where none are.</summary>
    public StudyAttacks? Attacks { get; init; }

    /// <summary>What is computed across arms; null where nothing is.</summary>
    public IReadOnlyList<StudyAnalysis>? Analyses { get; init; }

    /// <summary>How many bases and seeds the claims ask for; null where a claim is decided by what there is.</summary>
    public StudyEvidence? Evidence { get; init; }

    /// <summary>What the page says besides numbers.</summary>
    public StudyPageText? Page { get; init; }

    /// <summary>Where this run computes, as <c>--device</c> has it; null for the CPU in fp32.</summary>
    public string? Device { get; init; }

    /// <summary>Arms of the recipe that this run was told to leave out.</summary>
    public IReadOnlyList<string>? LeftOut { get; init; }

    /// <summary>The loss of each base on held-out text, by model, where the evidence asks for it; read from the bases,
    /// null for one that does not record it.</summary>
    public IReadOnlyDictionary<string, double?>? BaseLosses { get; init; }

    /// <summary>The recipe without some of its arms; claims about these are left open.</summary>
    /// <exception cref="SafeLlamaException">There is no arm of a name, or what is left out is needed.</exception>
    public StudyRecipe Only(IReadOnlyList<string> arms)
    {
        if (arms.FirstOrDefault(name => Arms.All(a => a.Name != name)) is { } unknown)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(Arms)}`: {Name} has no arm \"{unknown}\""
                + NearestName.Hint(unknown, Arms.Select(a => a.Name))
                + $" It has {string.Join(", ", Arms.Select(a => a.Name))}.");
        }

        if (Arms.FirstOrDefault(a => arms.Contains(a.Name) && a.After is { } before && !arms.Contains(before))
            is { } later)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(Arms)}`: {later.Name} goes on from {later.After}, which is left out; name that too.");
        }

        if (Attacks is { } attacks && !arms.Contains(attacks.AnswersFrom))
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(Arms)}`: attacks take their answers from {attacks.AnswersFrom}, which is left out; name "
                + "that too.");
        }

        if (Analyses?.FirstOrDefault(a => a.Kind == AnalysisKind.Gap && a.Series[0].Arms.Count(arms.Contains) < 2)
            is { } gap)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(Arms)}`: the analysis {gap.Name} compares arms, of which fewer than two are left; name two "
                + $"or more of {string.Join(", ", gap.Series[0].Arms)}.");
        }

        if (Analyses?.FirstOrDefault(a => a.Kind == AnalysisKind.Mixture && !a.Series[0].Arms.Any(arms.Contains))
            is { } mixture)
        {
            throw SafeLlamaException.Usage(
                $"`{nameof(Arms)}`: the analysis {mixture.Name} has no arm left; name one or more of "
                + $"{string.Join(", ", mixture.Series[0].Arms)}.");
        }

        return this with
        {
            Arms = [.. Arms.Where(a => arms.Contains(a.Name))],
            LeftOut = [.. Arms.Where(a => !arms.Contains(a.Name)).Select(a => a.Name)],
        };
    }

    /// <summary>How many arms come before an arm, each going on from the one before.</summary>
    public int Depth(StudyArm arm) =>
        arm.After is null ? 0 : 1 + Depth(Arms.First(other => other.Name == arm.After));

    /// <summary>The name of the shipped base model of the first world.</summary>
    public const string Miniature = "miniature";

    /// <summary>The name of the shipped base model of the wider world.</summary>
    public const string MiniatureWide = "miniature-wide";
}

/// <summary>Where tuning rows and prompts come from: the world in miniature, or files.</summary>
public sealed record StudyData
{
    /// <summary>The world's dials, where the study uses the world.</summary>
    public WorldDials? World { get; init; }

    /// <summary>Which evaluation prompts of the world are asked.</summary>
    public WorldDraw Draw { get; init; } = WorldDraw.Test;

    /// <summary>Draws the world's evaluation prompts.</summary>
    public long EvaluationSeed { get; init; } = 2024;

    /// <summary>Benign instruction rows.</summary>
    public string? Instructions { get; init; }

    /// <summary>How many benign rows are used: the first of a seeded order.</summary>
    public int InstructionCount { get; init; } = 3000;

    /// <summary>Safety demonstrations as instructions.</summary>
    public string? Safety { get; init; }

    /// <summary>Pairs of answers, as <c>data pairs</c> writes them; needed by arms with a preference.</summary>
    public string? Preferences { get; init; }

    /// <summary>The same demonstrations as questions, row by row or by <c>origin_id</c>, as <c>data convert</c> writes;
    /// needed by arms of another format.</summary>
    public string? SafetyQuestions { get; init; }

    /// <summary>The same demonstrations as opinions; needed by arms of that wording.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SafetyOpinions { get; init; }

    /// <summary>Prompt suites: the name the metrics use, and the file.</summary>
    public IReadOnlyDictionary<string, string> Suites { get; init; } = new Dictionary<string, string>();

    /// <summary>Suites made by rule from those: the name the metrics use, and the rule.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, SuiteVariant>? Variants { get; init; }

    /// <summary>Names that requests bear in turn; null where none do.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public StudyNames? Names { get; init; }

    /// <summary>The prompt template, by name or file; the world brings its own.</summary>
    public string Template { get; init; } = "alpaca";

    /// <summary>True where rows and prompts come from files.</summary>
    [JsonIgnore]
    public bool UsesFiles => Instructions is not null;
}

/// <summary>How adapters are trained.</summary>
public sealed record StudyTraining
{
    /// <summary>r.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>α; an adapter's output is scaled by α / r.</summary>
    public double Alpha { get; init; } = 16;

    [JsonConverter(typeof(ShareConverter))]
    public double Dropout { get; init; }

    /// <summary><c>all</c>, or names of matrices such as <c>q_proj</c>.</summary>
    public IReadOnlyList<string> Targets { get; init; } = ["all"];

    /// <summary>How the update begins and what it learns; plain LoRA where not given.</summary>
    public LoraVariant? Variant { get; init; }

    /// <summary>LoRA+: how many times the learning rate every B moves at; 1 where not given.</summary>
    public double? LoraPlusRatio { get; init; }

    /// <summary>NEFTune's α; no noise where not given.</summary>
    public double? NeftuneAlpha { get; init; }

    /// <summary>How the base's weights are held; as they are stored where not given.</summary>
    public LoadAs? Load { get; init; }

    public double LearningRate { get; init; } = 3e-3;

    /// <summary><c>linear</c>, <c>cosine</c> or <c>constant</c>, after warm-up.</summary>
    public string Schedule { get; init; } = "linear";

    /// <summary>Steps over which the learning rate rises: a count, or a share of an arm's steps.</summary>
    [JsonConverter(typeof(AmountConverter))]
    public Amount WarmupSteps { get; init; } = Amount.Count(20);

    /// <summary>Rows in a step.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Passes over the rows.</summary>
    public double Epochs { get; init; } = 5;

    /// <summary>The most tokens of a row.</summary>
    public int MaxLength { get; init; } = 128;

    internal LoadForm LoadForm => new(Load ?? LoadAs.Stored);
}

/// <summary>How answers are decoded: greedily, up to a limit.</summary>
public sealed record StudyDecoding
{
    public int MaxNewTokens { get; init; } = 48;

    /// <summary>Prompts generated together; does not change an answer.</summary>
    public int BatchSize { get; init; } = 64;
}
