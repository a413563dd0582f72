using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Rows and prompts from files, as in the paper's study; the refusal matcher grades answers.</summary>
public sealed class FileSource : IStudySource
{
    private readonly StudyData _data;
    private readonly ExampleFile _instructions;
    private readonly ExampleFile? _safety;
    private readonly ExampleFile? _questions;
    private readonly PreferenceFile? _preferences;
    private readonly IReadOnlyList<PromptSuite> _suites;
    private readonly RefusalMatcher _matcher = new();

    /// <param name="otherJudges">Judges beside the refusal matcher.</param>
    /// <exception cref="SafeLlamaException">A file is missing or invalid.</exception>
    public FileSource(StudyData data, IReadOnlyList<IJudge>? otherJudges = null)
    {
        _data = data;
        OtherJudges = otherJudges ?? [];
        Template = PromptTemplate.Load(data.Template);
        _instructions =
            ExampleFile.Read(data.Instructions ?? throw SafeLlamaException.Usage("data.instructions is missing."));
        _safety = data.Safety is null ? null : ExampleFile.Read(data.Safety);
        _questions = data.SafetyQuestions is null ? null : ExampleFile.Read(data.SafetyQuestions);
        _preferences = data.Preferences is null ? null : PreferenceFile.ReadAll([data.Preferences]).Single();
        if (_safety is not null && _questions is not null && _safety.Examples.Count != _questions.Examples.Count)
        {
            throw SafeLlamaException.InvalidData(
                $"{_questions.Path}: holds {_questions.Examples.Count} rows, {_safety.Path} holds "
                + $"{_safety.Examples.Count}; "
                + "expected the same demonstrations, row by row, as questions.");
        }

        _suites = [.. data.Suites.Select(suite => SuiteRegistry.Open($"{suite.Key}={suite.Value}"))];
        Prompts =
        [
            .. data.Suites.Keys.Zip(_suites).SelectMany(named => named.Second.Prompts.Select(p => new StudyPrompt(
                $"{named.First}/{p.Id}", named.First, p.Text, p.Format, p.Label, p.Category ?? named.First,
                p.Origin ?? $"{named.First}/{p.Id}")
            {
                Twin = p.Twin,
                Context = p.Context,
            })),
        ];
    }

    public PromptTemplate Template { get; }

    public int BenignCount => _data.InstructionCount;

    public int DemonstrationCount => _safety?.Examples.Count ?? 0;

    public IReadOnlyList<IJudge> OtherJudges { get; }

    public IReadOnlyList<StudyPrompt> Prompts { get; }

    public IReadOnlyList<TrainingExample> Examples(StudyArm arm, long seed)
    {
        var count = arm.Demonstrations(BenignCount);
        if (count > 0 && _safety is null)
        {
            throw SafeLlamaException.Usage(
                $"arm {arm.Name}: asks for {count} safety demonstrations and data.safety names no file.");
        }

        var options = new MixtureOptions { BaseCount = BenignCount, SafetyCount = count, Seed = seed };
        return SafetyMixture.Build(
            [new MixtureSource(_instructions)], _safety is null
                ? [] : [new MixtureSource(Safety(arm.Format))], options).Examples;
    }

    public IReadOnlyList<PreferenceRow> Preferences(StudyArm arm, long seed)
    {
        if (arm.Preference is not { } asked)
        {
            return [];
        }

        return
        [
            .. Draw(TuningPair.OverRefusal, asked.OverRefusalPairs).Concat(Draw(TuningPair.Safety, asked.SafetyPairs)),
        ];

        IEnumerable<PreferenceRow> Draw(string category, int count)
        {
            var rows = _preferences!.Rows.Where(r => r.IsPair && r.Chosen!.Category == category).ToList();
            return count <= rows.Count
                ? Philox.Stream(seed, "study.pairs." + category).Permutation(rows.Count).Take(count)
                    .Select(i => rows[i])
                : throw SafeLlamaException.InvalidData(
                    $"arm {arm.Name}: asks for {count} pairs of category {category}, {_preferences.Path} holds "
                    + $"{rows.Count}.");
        }
    }

    public IJudge Judge => _matcher;

    /// <summary>The first prompt of every suite, and the shortest demonstration (or benign row), which reads best token
    /// by token.</summary>
    public LessonPlan Lesson
    {
        get
        {
            var example = (_safety ?? _instructions).Examples.MinBy(row => row.Question.Length + row.Answer.Length)!;
            return new(
                [.. Prompts.GroupBy(p => p.Suite).Select(suite => suite.First().Text)],
                ["I'm sorry", "I am sorry", "Sorry", "I cannot", "I can't", "I will not"],
                new InstructionExample(example.Question, "", example.Answer),
                Prompts[0].Text);
        }
    }

    public IReadOnlyDictionary<string, string> Describe()
    {
        var hashes = new Dictionary<string, string>
        {
            ["instructions"] =
            _instructions.Sha256,
            ["template"] = Template.Name
        };
        foreach (var (name, file) in new[] { ("safety", _safety), ("safety_questions", _questions) })
        {
            if (file is not null)
            {
                hashes[name] = file.Sha256;
            }
        }

        if (_preferences is not null)
        {
            hashes["preferences"] = _preferences.Sha256;
        }

        foreach (var suite in _suites)
        {
            hashes["suite." + suite.Name] = suite.Sha256;
        }

        hashes["judge"] = _matcher.Identity.Hash;
        return hashes;
    }

    /// <summary>The demonstrations in one wording. Row i is the same demonstration in each, so seeds draw the same
    /// ones.</summary>
    private ExampleFile Safety(SafetyFormat format) => format switch
    {
        SafetyFormat.Question => _questions! with { Examples = [.. _questions.Examples.Select(SameId)] },
        SafetyFormat.Mixed => _safety! with
        {
            Examples = [.. _safety.Examples.Select((row, i) => i % 2 == 0 ? row : SameId(_questions!.Examples[i], i))],
        },
        _ => _safety!,
    };

    private TrainingExample SameId(TrainingExample row, int i) => row with { Id = _safety!.Examples[i].Id };
}
