using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>An arm's rows from files: benign ones, and demonstrations made as the arm asks.</summary>
/// <remarks>
/// Which demonstrations are drawn, and in which order, depends on the seed and on the kinds of harm alone; wordings,
/// surroundings, names and earlier turns of row i depend on the seed and i. So doses nest, and arms that differ in one
/// of these learn from the same demonstrations.
/// </remarks>
internal sealed class FileDemonstrations
{
    private readonly int _benign;
    private readonly StudyNames? _names;
    private readonly FileTurns _turns;
    private readonly Dictionary<PromptFormat, Wording> _wordings = [];

    /// <exception cref="SafeLlamaException">A file is missing, invalid, or holds other demonstrations than the
    /// first.</exception>
    public FileDemonstrations(StudyData data, ExampleFile instructions, FileTurns turns)
    {
        (_benign, _names, Instructions, _turns) = (data.InstructionCount, data.Names, instructions, turns);
        Safety = data.Safety is null ? null : ExampleFile.Read(data.Safety);
        foreach (var (form, path) in new[]
        {
            (PromptFormat.Question, data.SafetyQuestions), (PromptFormat.Opinion, data.SafetyOpinions),
        })
        {
            if (path is not null)
            {
                _wordings[form] = Wording.Of(ExampleFile.Read(path), Safety!);
            }
        }

        if (Safety is not null && _wordings.Count > 0)
        {
            ExampleFile whole = Safety;
            Safety = whole with
            {
                Examples = [.. whole.Examples.Where(row => _wordings.Values.All(w => w.Rows.ContainsKey(row.Source)))],
            };
            var missing = whole.Examples.Count - Safety.Examples.Count;
            Notes =
            [
                .. missing == 0 ? [] : (ReadOnlySpan<string>)
                [
                    $"{whole.Path}: {missing} of {whole.Examples.Count} demonstrations are left out of every arm, "
                        + "since they have not every wording.",
                ],
                .. _wordings.Values.SelectMany(wording => wording.OtherAnswers(Safety)),
            ];
        }
    }

    public ExampleFile Instructions { get; }

    /// <summary>The demonstrations as instructions, those that have every wording; null where there are none.</summary>
    public ExampleFile? Safety { get; }

    /// <summary>What was left out or differs, one line each.</summary>
    public IReadOnlyList<string> Notes { get; } = [];

    /// <summary>How many prompts ask what a demonstration asks, to the letter; nothing where none does.</summary>
    public IEnumerable<string> Repeated(IReadOnlyList<StudyPrompt> prompts)
    {
        var shown = (Safety?.Examples ?? []).Select(row => NormalizedText.Of(row.Question)).ToHashSet();
        var repeated = prompts.Count(prompt => shown.Contains(NormalizedText.Of(prompt.Text)));
        return repeated == 0 ? [] :
            [$"{repeated} of {prompts.Count} prompts ask what a demonstration of {Safety!.Path} asks, to the letter."];
    }

    /// <summary>The hash of each file of demonstrations, by its wording.</summary>
    public IEnumerable<(PromptFormat Form, string Sha256)> Hashes() =>
    [
        .. Safety is null ? [] : (ReadOnlySpan<(PromptFormat, string)>)[(PromptFormat.Instruction, Safety.Sha256)],
        .. _wordings.Select(w => (w.Key, w.Value.File.Sha256)),
    ];

    /// <summary>Benign rows and demonstrations in the order of a mixture, as <c>train</c> learns from them.</summary>
    /// <exception cref="SafeLlamaException">More are asked for than there are.</exception>
    public IReadOnlyList<TrainingExample> Rows(StudyArm arm, long seed)
    {
        var count = arm.Demonstrations(_benign);
        if (count > 0 && Safety is null)
        {
            throw SafeLlamaException.Usage(
                $"arm {arm.Name}: asks for {count} safety demonstrations and data.safety names no file.");
        }

        var mixture = Mixed(arm, seed, count);
        var made = Made(mixture, arm, seed);
        return [.. mixture.Examples.Select(row => made.GetValueOrDefault(row.Id, row))];
    }

    /// <summary>All demonstrations of the arm's kinds, as the seed draws them.</summary>
    public IReadOnlyList<TrainingExample> Demonstrations(StudyArm arm, long seed)
    {
        if (Safety is null)
        {
            return [];
        }

        var mixture = Mixed(arm, seed, count: null);
        var made = Made(mixture, arm, seed);
        return [.. mixture.Manifest.SafetyIds.Select(id => made[id])];
    }

    /// <summary>A mixture's demonstrations as the arm asks for them, by id.</summary>
    private Dictionary<string, TrainingExample> Made(SafetyMixture mixture, StudyArm arm, long seed)
    {
        var number = mixture.Manifest.SafetyIds.Select((id, i) => (id, i)).ToDictionary(of => of.id, of => of.i);
        return mixture.Examples.Where(row => mixture.IsSafety(row.Id))
            .ToDictionary(row => row.Id, row => Made(row, number[row.Id], arm, seed));
    }

    private SafetyMixture Mixed(StudyArm arm, long seed, int? count)
    {
        var safety = Safety is null ? [] : (MixtureSource[])[new(OfKinds(Safety, arm))];
        try
        {
            return SafetyMixture.Build(
                [new(Instructions)], safety, new() { BaseCount = _benign, SafetyCount = count, Seed = seed });
        }
        catch (SafeLlamaException e) when (e.Code == ExitCode.Usage)
        {
            var files = Instructions.Path + (Safety is null ? "" : $" and {Safety.Path}");
            throw new SafeLlamaException(e.Code, $"arm {arm.Name}, from {files}: {e.Fault}", e, e.WaysOut);
        }
    }

    /// <summary>The demonstrations of the kinds of harm that the arm shows.</summary>
    private static ExampleFile OfKinds(ExampleFile safety, StudyArm arm)
    {
        if (arm.Safety?.Categories is not { } wanted)
        {
            return safety;
        }

        var there = safety.Examples.Select(row => row.Category).OfType<string>().ToHashSet();
        return wanted.FirstOrDefault(category => !there.Contains(category)) is { } unknown
            ? throw SafeLlamaException.Usage(
                $"arm {arm.Name}: safety.categories names \"{unknown}\", of which {safety.Path} holds no row; "
                + (there.Count == 0 ? "its rows have no \"category\"."
                    : $"it has {string.Join(", ", there.Order(StringComparer.Ordinal))}."))
            : safety with
            {
                Examples = [.. safety.Examples.Where(row => row.Category is { } c && wanted.Contains(c))],
            };
    }

    private TrainingExample Made(TrainingExample row, int i, StudyArm arm, long seed)
    {
        var makeup = arm.Safety;
        var worded = Worded(row, SafetyDemonstrations.FormOf(arm.Format, makeup, i));
        if (makeup is not { Distances: not null } and not { PeopleA: not null } and not { Turns: not null })
        {
            return worded;
        }

        if (worded is not InstructionExample made)
        {
            throw SafeLlamaException.InvalidData(
                $"{row.Source}: is no row of instruction and answer, and arm {arm.Name} puts it in other surroundings; "
                + "expected \"instruction\" and \"output\".");
        }

        var draw = Philox.Stream(seed, "study.files.demonstration", i);
        var request = made.Instruction;
        if (makeup.Distances is { } distances)
        {
            request = Frames.Learned(request, distances[draw.Below(0, distances.Count)], draw.Below(1, 1 << 20));
        }

        if (makeup.PeopleA is { } share)
        {
            request = _names!.Put(request, _names.OfRow(i, share));
        }

        made = made with { Instruction = request };
        var turns = makeup.Turns is { } counts
            ? _turns.Draw(draw.Fork(1), counts[draw.Below(2, counts.Count)], request) : [];
        return turns.Count == 0 ? made : new ConversationExample(
            [.. turns, ChatMessage.User(made.Question), ChatMessage.Assistant(made.Output)])
        {
            Id = made.Id,
            Source = made.Source,
            Category = made.Category,
        };
    }

    /// <summary>The demonstration in a wording, under its own id.</summary>
    private TrainingExample Worded(TrainingExample row, PromptFormat form) => form == PromptFormat.Instruction
        ? row : _wordings[form].Rows[row.Source] with { Id = row.Id, Category = row.Category };

    /// <summary>Demonstrations in another wording.</summary>
    /// <param name="File">Their file.</param>
    /// <param name="Rows">By the place of the demonstration as an instruction, since a mixture may rename ids.</param>
    private sealed record Wording(ExampleFile File, IReadOnlyDictionary<RowSource, TrainingExample> Rows)
    {
        /// <summary>Arms are to differ in the wording alone, so another answer is told.</summary>
        public IEnumerable<string> OtherAnswers(ExampleFile safety)
        {
            var others = safety.Examples.Count(row => Rows[row.Source].Answer != row.Answer);
            return others == 0 ? [] :
            [
                $"{File.Path}: {others} of {safety.Examples.Count} demonstrations have another answer than in "
                    + $"{safety.Path}, so arms differ in more than the wording.",
            ];
        }

        /// <summary>By the ids that <c>data convert</c> writes, where the file has any; else row by row.</summary>
        public static Wording Of(ExampleFile file, ExampleFile safety)
        {
            var byNumber = file.Examples.All(row => row.OriginId is null);
            if (byNumber && file.Examples.Count != safety.Examples.Count)
            {
                throw SafeLlamaException.InvalidData(
                    $"{file.Path}: holds {file.Examples.Count} rows, {safety.Path} holds {safety.Examples.Count}; "
                    + "expected the same demonstrations in another wording, row by row or each with its "
                    + "\"origin_id\".");
            }

            var places = safety.Examples.DistinctBy(row => row.Id).ToDictionary(row => row.Id, row => row.Source);
            var rows = new Dictionary<RowSource, TrainingExample>();
            foreach (var (row, i) in file.Examples.Select((row, i) => (row, i)))
            {
                var id = byNumber ? safety.Examples[i].Id : row.OriginId ?? row.Id;
                var known = places.TryGetValue(id, out var place);
                if (!known || !rows.TryAdd(place, row))
                {
                    throw SafeLlamaException.InvalidData(
                        $"{row.Source}: its origin \"{id}\" "
                        + (known ? "has a row before this one already" : $"is no row of {safety.Path}")
                        + "; expected one row for a demonstration.");
                }
            }

            return new(file, rows);
        }
    }
}
