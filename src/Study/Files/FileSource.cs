using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Rows and prompts from files, as in the paper's study; the refusal matcher grades answers.</summary>
public sealed class FileSource : IStudySource
{
    private readonly StudyData _data;
    private readonly FileDemonstrations _rows;
    private readonly PreferenceFile? _preferences;
    private readonly IReadOnlyList<PromptSuite> _suites;
    private readonly RefusalMatcher _matcher = new();

    /// <param name="data">The files.</param>
    /// <param name="otherJudges">Judges beside the refusal matcher.</param>
    /// <param name="asked">A suite that others are made of is asked itself only where it is one of these; null for
    /// all.</param>
    /// <exception cref="SafeLlamaException">A file is missing or invalid.</exception>
    public FileSource(
        StudyData data, IReadOnlyList<IJudge>? otherJudges = null, IReadOnlyCollection<string>? asked = null)
    {
        _data = data;
        OtherJudges = otherJudges ?? [];
        Template = PromptTemplate.Load(data.Template);
        var instructions =
            ExampleFile.Read(data.Instructions ?? throw SafeLlamaException.Usage("data.instructions is missing."));
        var turns = new FileTurns(instructions);
        _rows = new(data, instructions, turns);
        _preferences = data.Preferences is null ? null : PreferenceFile.ReadAll([data.Preferences]).Single();
        _suites = [.. data.Suites.Select(suite => SuiteRegistry.Open($"{suite.Key}={suite.Value}"))];
        var variants = data.Variants ?? new Dictionary<string, SuiteVariant>();
        var own = FileSuites.Prompts(data.Suites.Keys.Zip(_suites)).ToLookup(p => p.Suite);
        bool Asked(string suite) => asked?.Contains(suite) != false || variants.Values.All(v => v.Of != suite);
        Prompts =
        [
            .. data.Suites.Keys.Where(Asked).SelectMany(suite => own[suite]),
            .. variants.SelectMany(v => FileSuites.Prompts(v.Key, v.Value, [.. own[v.Value.Of]], data.Names, turns)),
        ];
        if (Prompts.GroupBy(StudySuites.KeyOf).FirstOrDefault(same => same.Count() > 1)?.Key is { } twice)
        {
            throw SafeLlamaException.InvalidData(
                $"the prompt {twice} is there twice; give the rows of a suite, and variants, names of their own.");
        }

        if (Prompts.FirstOrDefault(p => p.Before is not null) is { } later)
        {
            RequireTurns($"the prompt {later.Id} goes on a conversation");
        }

        Notes = [.. _rows.Notes, .. _rows.Repeated(Prompts)];
    }

    /// <summary>The files of a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="otherJudges">Judges beside the refusal matcher.</param>
    /// <exception cref="SafeLlamaException">A file is missing or invalid, a metric asks no prompt, or an arm shows a
    /// kind of harm that an analysis never asks.</exception>
    public static FileSource Open(StudyRecipe recipe, IReadOnlyList<IJudge> otherJudges)
    {
        RequireFiles(recipe);
        var source = new FileSource(recipe.Data, otherJudges,
        [
            .. recipe.Metrics.SelectMany(metric => metric.Suites), .. recipe.Attacks?.Suites ?? [],
            .. recipe.Attacks?.Benign ?? [],
        ]);
        AskedPrompts.Require(recipe, source.Prompts);
        return source;
    }

    /// <summary>A recipe for others' files names those that are not there, all at once.</summary>
    private static void RequireFiles(StudyRecipe recipe)
    {
        IEnumerable<(string Field, string? Path)> named =
        [
            ("data.instructions", recipe.Data.Instructions), ("data.safety", recipe.Data.Safety),
            ("data.safety_questions", recipe.Data.SafetyQuestions),
            ("data.safety_opinions", recipe.Data.SafetyOpinions),
            ("data.preferences", recipe.Data.Preferences),
            .. recipe.Data.Suites.Select(suite => ($"data.suites.{suite.Key}", (string?)suite.Value)),
        ];
        string[] missing = [.. named.Where(file => file.Path is { Length: > 0 } path && !Path.Exists(path))
            .Select(file => $"{file.Field} {file.Path}")];
        if (missing.Length > 0)
        {
            throw SafeLlamaException.Usage(
                $"{recipe.From ?? recipe.Name}: {Counted.Of(missing.Length, "file")} that it names "
                + $"{(missing.Length == 1 ? "is" : "are")} not there, and nothing is downloaded: "
                + string.Join(", ", missing) + ".",
                "put them where the recipe's paths point", "change the paths in a copy of the recipe");
        }
    }

    public PromptTemplate Template { get; }

    public int BenignCount => _data.InstructionCount;

    public IReadOnlyList<IJudge> OtherJudges { get; }

    public IReadOnlyList<StudyPrompt> Prompts { get; }

    public IReadOnlyList<string> Notes { get; }

    public IReadOnlyList<TrainingExample> Examples(StudyArm arm, long seed)
    {
        RequireTurns(arm);
        return _rows.Rows(arm, seed);
    }

    public IReadOnlyList<TrainingExample> Demonstrations(StudyArm arm, long seed)
    {
        RequireTurns(arm);
        return _rows.Demonstrations(arm, seed);
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
            var example = (_rows.Safety ?? _rows.Instructions).Examples
                .MinBy(row => row.Question.Length + row.Answer.Length)!;
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
            ["instructions"] = _rows.Instructions.Sha256,
            ["template"] = Template.Name,
        };
        foreach (var (form, hash) in _rows.Hashes())
        {
            var name = form.ToString().ToLowerInvariant();
            hashes[form == PromptFormat.Instruction ? "safety" : $"safety_{name}s"] = hash;
        }

        if (_preferences is not null)
        {
            hashes["preferences"] = _preferences.Sha256;
        }

        foreach (var suite in _suites)
        {
            hashes["suite." + suite.Name] = suite.Sha256;
        }

        foreach (var variant in _data.Variants?.Keys ?? [])
        {
            hashes["variant." + variant] = ContentHash.OfText(string.Join('\n', Prompts
                .Where(p => p.Suite == variant).Select(p => $"{p.Id}\t{p.Text}\t{p.Row.Question}")));
        }

        if (Notes.Count > 0)
        {
            hashes["remarks"] = string.Join(" ", Notes);
        }

        hashes["judge"] = _matcher.Identity.Hash;
        return hashes;
    }

    private void RequireTurns(StudyArm arm)
    {
        if (arm.Safety?.Turns?.Any(t => t > 0) == true)
        {
            RequireTurns($"arm {arm.Name} has earlier turns in its demonstrations");
        }
    }

    private void RequireTurns(string why)
    {
        try
        {
            Template.RenderPrompt(new ConversationExample(
                [ChatMessage.User("q"), ChatMessage.Assistant("a"), ChatMessage.User("q")]));
        }
        catch (SafeLlamaException e) when (e.Code == ExitCode.Usage)
        {
            throw SafeLlamaException.Usage(
                $"data.template {Template.Name}: holds one request and one answer, and {why}; expected one that holds "
                + "conversations, such as llama2, llama3, chatml or vicuna.");
        }
    }
}
