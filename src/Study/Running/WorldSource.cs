using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Rows, prompts and grades from the world in miniature.</summary>
public sealed class WorldSource : IStudySource
{
    private readonly World _world;
    private readonly TuningExamples _tuning;
    private readonly TuningPairs _pairs;
    private readonly SafetyDemonstrations _demonstrations;
    private readonly IReadOnlyList<StudyPrompt> _all;
    private readonly StudyData _data;

    /// <param name="data">Which world, and which draw of its prompts.</param>
    /// <param name="metrics">In the wider world only suites that one of these reads are asked; null for all.</param>
    public WorldSource(StudyData data, IReadOnlyList<StudyMetric>? metrics = null)
    {
        _data = data;
        _world = new World(data.World);
        _tuning = new TuningExamples(_world);
        _pairs = new TuningPairs(_world);
        _demonstrations = new SafetyDemonstrations(_world);
        _all = new EvaluationSets(_world, data.Draw, data.EvaluationSeed).Prompts;
        Prompts = metrics is null || _world.Dials.Wider is null
            ? _all : [.. _all.Where(prompt => metrics.Any(metric => metric.Asks(prompt)))];
    }

    /// <summary>The world of a recipe.</summary>
    /// <exception cref="SafeLlamaException">A metric or an analysis reads prompts that the world has not.</exception>
    public static WorldSource Open(StudyRecipe recipe)
    {
        var source = new WorldSource(recipe.Data, recipe.Metrics);
        AskedPrompts.Require(recipe, source._all);
        return source;
    }

    public PromptTemplate Template => WorldTemplate.Of(_world);

    public int BenignCount => _world.Dials.BenignExamples;

    public IReadOnlyList<StudyPrompt> Prompts { get; }

    public IReadOnlyList<TrainingExample> Examples(StudyArm arm, long seed) =>
    [
        .. _tuning.Benign(seed, BenignCount, arm.SafeScary ?? _world.Dials.SafeScaryExamples)
            .Concat(_demonstrations.Rows(seed, arm.Demonstrations(BenignCount), arm.Format, arm.Safety))
            .Concat(arm.Safety is { } makeup ? _demonstrations.Twins(seed, arm.Format, makeup) : [])
            .Select(Row),
    ];

    public IReadOnlyList<TrainingExample> Demonstrations(StudyArm arm, long seed) =>
        [.. _demonstrations.Rows(seed, _world.Dials.SafetyDemonstrations, arm.Format, arm.Safety).Select(Row)];

    public IReadOnlyList<PreferenceRow> Preferences(StudyArm arm, long seed) => arm.Preference is not { } asked ? [] :
    [
        .. _pairs.OverRefusal(seed, asked.OverRefusalPairs).Concat(_pairs.Safety(seed, asked.SafetyPairs)).Select(p =>
        {
            InstructionExample Side(string answer) => new(p.Request, "", answer) { Id = p.Id, Category = p.Kind };
            return new PreferenceRow(Side(p.Chosen), Side(p.Rejected));
        }),
    ];

    public IJudge Judge { get; } = new WorldJudge();

    /// <summary>A homonym and its unsafe twin, a protective act, an unsafe question, a benign act.</summary>
    public LessonPlan Lesson
    {
        get
        {
            var homonym = _all.First(p => p.Suite == "safe-homonym");
            var demonstration = _tuning.Safety(_world.Dials.Seed, 1, SafetyFormat.Instruction).First();
            return new(
                [
                    homonym.Text,
                    _all.First(p => p.Id == homonym.Twin).Text,
                    _all.First(p => p.Suite == "safe-protective").Text,
                    _all.First(p => p.Suite == "unsafe-question").Text,
                    _all.First(p => p.Suite == "benign-instruction").Text,
                ],
                ["I am sorry", "I cannot", "No, I cannot", "I will not"],
                new InstructionExample(demonstration.Request, "", demonstration.Response),
                homonym.Text);
        }
    }

    public IReadOnlyDictionary<string, string> Describe() => new Dictionary<string, string>
    {
        ["world"] = ContentHash.OfText(string.Join('\n', _world.Nouns)),
        ["dials"] = ContentHash.OfText(_world.Dials.Text),
        ["draw"] = $"{_data.Draw.ToString().ToLowerInvariant()}, seed {_data.EvaluationSeed}",
        ["prompts"] = ContentHash.OfText(string.Join(
            '\n', Prompts.Select(p => p.Context is null ? $"{p}" : $"{p}{p.Context}"))),
        ["template"] = ContentHash.OfText(WorldTemplate.Json(_world)),
    };

    private static InstructionExample Row(TuningExample row) => new(row.Request, row.Context, row.Response)
    {
        Id = row.Id,
        Category = row.Kind,
    };
}
