using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>The findings about a data file, made before training.</summary>
public sealed record DataCheck
{
    /// <summary>The file with its examples, faults and unused fields.</summary>
    public required ExampleFile File { get; init; }

    /// <summary>Rows that ask what an earlier row asked.</summary>
    public required IReadOnlyList<Duplicate> Duplicates { get; init; }

    /// <summary>Rows without an answer.</summary>
    public required IReadOnlyList<string> EmptyAnswers { get; init; }

    /// <summary>Rows whose answer opens with a refusal, counted by the opening that matched.</summary>
    public required IReadOnlyDictionary<string, int> RefusalsByOpening { get; init; }

    /// <summary>Rows by the form of their prompt.</summary>
    public required IReadOnlyDictionary<PromptForm, int> Forms { get; init; }

    /// <summary>Rows with a character outside ASCII.</summary>
    public required int NonAscii { get; init; }

    /// <summary>Rows whose answer has more than one line.</summary>
    public required int MultiLineAnswers { get; init; }

    /// <summary>Length of what is asked, in UTF-16 units.</summary>
    public required LengthSummary QuestionCharacters { get; init; }

    /// <summary>Length of what is answered, in UTF-16 units.</summary>
    public required LengthSummary AnswerCharacters { get; init; }

    /// <summary>The effect of encoding on the rows; null without a tokenizer.</summary>
    public EncodingReport? Encoding { get; init; }

    /// <summary>Tokens of each kept row; null without a tokenizer.</summary>
    public LengthSummary? Tokens { get; init; }

    /// <summary>Rows with an answer.</summary>
    public int Answered => File.Examples.Count - EmptyAnswers.Count;

    /// <summary>Rows whose answer opens with a refusal.</summary>
    public int Refusals => RefusalsByOpening.Values.Sum();

    /// <summary>Share of answered rows that open with a refusal, 0 … 1.</summary>
    public double RefusalShare => Answered == 0 ? 0 : (double)Refusals / Answered;

    /// <summary>Checks a file; with an encoder it also reports the effect of the length limit.</summary>
    public static DataCheck Of(ExampleFile file, ExampleEncoder? encoder = null)
    {
        var rows = file.Examples;
        var encoded = encoder is null ? default : encoder.Inspect(rows);
        return new DataCheck
        {
            File = file,
            Duplicates = SafeLlama.Data.Duplicates.Split(rows).Duplicates,
            EmptyAnswers = [.. rows.Where(row => row.Answer.Length == 0).Select(row => row.Id)],
            RefusalsByOpening = rows.Select(row => RefusalPhrases.Opening(row.Answer)).OfType<string>()
                .CountBy(opening => opening).OrderByDescending(pair => pair.Value).ToDictionary(),
            Forms = Enum.GetValues<PromptForm>().ToDictionary(
                form => form, form => rows.Count(row => PromptForms.Of(row.Question) == form)),
            NonAscii = rows.Count(row => !IsAscii(row.Question) || !IsAscii(row.Answer)),
            MultiLineAnswers = rows.Count(row => row.Answer.Contains('\n')),
            QuestionCharacters = LengthSummary.Of(rows.Select(row => row.Question.Length)),
            AnswerCharacters = LengthSummary.Of(rows.Select(row => row.Answer.Length)),
            Encoding = encoded.Report,
            Tokens = encoded.Examples is { } examples
                ? LengthSummary.Of(examples.Select(example => example.Length))
                : null,
        };
    }

    /// <summary>The check as text, one finding a line; faults stand apart (<see cref="DataFaults.Report"/>).</summary>
    public IEnumerable<string> Lines()
    {
        var rows = File.Examples.Count;
        yield return $"{File.Path}: {File.Format}, {Counted.Of(File.RowCount, "row")}, {rows} good, "
            + $"{Counted.Of(File.Faults.Count, "fault")}, "
            + $"sha256 {File.Sha256[..12]}…";
        foreach (var note in File.Notes)
        {
            yield return note;
        }

        foreach (var (name, count) in File.IgnoredFields)
        {
            yield return $"field \"{name}\" is not used ({Counted.Of(count, "row")})";
        }

        var forms = Forms.Select(form => $"{form.Key} {form.Value} ({Share(form.Value)})");
        yield return $"forms: {string.Join(", ", forms)}";
        yield return $"answers that open with a refusal: {Refusals} of {Answered} ({Percent.Of(RefusalShare, "0.0")}, "
            + "by string match)";
        var duplicates = Duplicates.Select(pair => $"{pair.Id} = {pair.Of}");
        yield return $"duplicated questions: {Duplicates.Count}{Named(duplicates)}";
        yield return $"empty answers: {EmptyAnswers.Count}{Named(EmptyAnswers)}";
        yield return $"outside ASCII: {NonAscii}; answers of several lines: {MultiLineAnswers}";
        yield return $"question, characters: {QuestionCharacters}";
        yield return $"answer, characters: {AnswerCharacters}";
        if (Tokens is not null)
        {
            yield return $"tokens: {Tokens}";
        }

        foreach (var line in Encoding?.Lines() ?? [])
        {
            yield return line;
        }

        string Share(int count) => rows == 0 ? "–" : Percent.Of((double)count / rows, "0.0");
    }

    private static string Named(IEnumerable<string> names)
    {
        var first = names.Take(6).ToList();
        return first.Count == 0 ? "" : $" ({string.Join(", ", first.Take(5))}{(first.Count > 5 ? ", …" : "")})";
    }

    private static bool IsAscii(string text) => System.Text.Ascii.IsValid(text);
}
