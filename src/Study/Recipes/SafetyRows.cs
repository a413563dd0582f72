using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>How safety demonstrations answer.</summary>
public enum SafetyAnswers
{
    /// <summary>Any of the world's five refusals.</summary>
    All,

    /// <summary>A refusal alone.</summary>
    Plain,

    /// <summary>A refusal with its reason.</summary>
    Reason,

    /// <summary>A question back, which neither refuses nor complies.</summary>
    Stall,
}

/// <summary>What an arm's safety demonstrations are made of, where they are not the world's usual ones.</summary>
/// <remarks>Row i depends on the seed and i alone, so the rows of a smaller dose are the first of a larger
/// one.</remarks>
public sealed record SafetyRows
{
    /// <summary>Shares of the wordings, instead of the arm's format.</summary>
    public FormatShares? Formats { get; init; }

    /// <summary>How the demonstrations answer.</summary>
    public SafetyAnswers Answers { get; init; }

    /// <summary>Safe rows added, answered: the first demonstrations with a harmless object or a protective
    /// verb.</summary>
    public int SafeTwins { get; init; }

    /// <summary>Only acts on harmful nouns of these categories, of files only rows of these; null for the usual half
    /// nouns, half scary verbs, of files for all.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    /// <summary>Every demonstration names a people, this share of them people A, of files the first of the data's
    /// names; null where none is named.</summary>
    [System.Text.Json.Serialization.JsonConverter(typeof(Common.ShareConverter))]
    public double? PeopleA { get; init; }

    /// <summary>Distances of the wordings, drawn for each row; null for 0.</summary>
    public IReadOnlyList<int>? Distances { get; init; }

    /// <summary>Benign turns before the request, drawn for each row; null for none.</summary>
    public IReadOnlyList<int>? Turns { get; init; }

    /// <summary>One sentence for each error.</summary>
    /// <param name="data">Where the rows come from.</param>
    internal IEnumerable<string> Problems(StudyData data) =>
        Shares().Concat(data.UsesFiles ? OfFiles(data) : OfWorld());

    private IEnumerable<string> Shares()
    {
        if (Formats is { } f && !(f.Instruction >= 0 && f.Question >= 0 && f.Opinion >= 0 && f.Total > 0))
        {
            yield return "safety.formats must be shares of 0 or more, one above 0 at least.";
        }

        if (PeopleA is not (null or (>= 0 and <= 1)))
        {
            yield return $"safety.people_a is {PeopleA}, expected a share from 0 to 1.";
        }

        if (Categories is { Count: 0 })
        {
            yield return "safety.categories is empty, which leaves nothing to draw from.";
        }

        foreach (var problem in SuiteVariant.Numbers(Distances, "distances", Paraphrase.Farthest)
            .Concat(SuiteVariant.Numbers(Turns, "turns", Dialogues.MostTurns)))
        {
            yield return "safety." + problem;
        }
    }

    private IEnumerable<string> OfWorld()
    {
        if (SafeTwins < 0)
        {
            yield return $"safety.safe_twins is {SafeTwins}, expected 0 or more.";
        }

        var known = WideLexicon.Harmful.Select(c => c.Name).ToList();
        foreach (var unknown in Categories?.Except(known) ?? [])
        {
            yield return $"safety.categories: there is no \"{unknown}\", expected some of {string.Join(", ", known)}.";
        }
    }

    private IEnumerable<string> OfFiles(StudyData data)
    {
        if (Answers != SafetyAnswers.All)
        {
            yield return "safety.answers chooses among the world's refusals; the rows of files have their own.";
        }

        if (SafeTwins != 0)
        {
            yield return "safety.safe_twins makes rows of the world; of files put answered safe rows into "
                + "data.instructions.";
        }

        if (PeopleA is not null && data.Names is null)
        {
            yield return "safety.people_a needs data.names, of which the first is meant.";
        }

        if (Formats is { Question: > 0 } && data.SafetyQuestions is null)
        {
            yield return "safety.formats needs data.safety_questions, the same rows as questions.";
        }

        if (Formats is { Opinion: > 0 } && data.SafetyOpinions is null)
        {
            yield return "safety.formats needs data.safety_opinions, the same rows as opinions.";
        }
    }
}

/// <summary>Shares of wordings, in any unit.</summary>
public sealed record FormatShares
{
    public double Instruction { get; init; }

    public double Question { get; init; }

    public double Opinion { get; init; }

    internal double Total => Instruction + Question + Opinion;

    /// <summary>The wording of row <paramref name="i"/>: every run of rows holds the shares as nearly as it
    /// can.</summary>
    internal PromptFormat Of(int i)
    {
        // Bresenham: the form whose number of rows falls furthest behind its share.
        var counts = new double[3];
        double[] shares = [Instruction / Total, Question / Total, Opinion / Total];
        var next = 0;
        for (var row = 0; row <= i; row++)
        {
            next = Enumerable.Range(0, 3).MaxBy(k => shares[k] * (row + 1) - counts[k]);
            counts[next]++;
        }

        return (PromptFormat)next;
    }
}
