using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A row that no rule could convert.</summary>
public sealed record Unconverted(string Id, RowSource Source, string Reason);

/// <summary>The outcome of every row.</summary>
/// <param name="Examples">All rows that have the form wanted, or were meant to keep theirs, in the order given.</param>
/// <param name="Converted">Rows with new wording; each bears the id of its origin.</param>
/// <param name="AlreadyInForm">Rows that had the form wanted.</param>
/// <param name="LeftAsTheyWere">Rows not chosen for conversion, where only a share is.</param>
/// <param name="Unconvertible">Rows left out because no rule fits them.</param>
/// <param name="Rules">How often each rule was used.</param>
public sealed record ConversionReport(
    IReadOnlyList<TrainingExample> Examples,
    int Converted,
    int AlreadyInForm,
    int LeftAsTheyWere,
    IReadOnlyList<Unconverted> Unconvertible,
    IReadOnlyDictionary<string, int> Rules)
{
    /// <summary>The report in a few lines.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Counted.Of(Converted, "row")} converted, {AlreadyInForm} had the form already, "
            + $"{LeftAsTheyWere} were left as they were, {Unconvertible.Count} fit no rule and are left out.";
        foreach (var (rule, count) in Rules)
        {
            yield return $"rule: {rule} ({Counted.Of(count, "row")})";
        }

        foreach (var row in Unconvertible.Take(DataFaults.Printed))
        {
            yield return $"{row.Source}: {row.Id}: {row.Reason}";
        }

        if (Unconvertible.Count > DataFaults.Printed)
        {
            yield return $"… and {Unconvertible.Count - DataFaults.Printed} more that fit no rule.";
        }
    }
}

/// <summary>Converts rows to another form, so that a comparison of forms changes only the wording.</summary>
/// <remarks>
/// Deterministic rules (<see cref="PromptRules"/>), or a file of wordings made elsewhere. Answers and inputs do not
/// change. A row that no rule fits is reported and left out.
/// </remarks>
public static class FormatConverter
{
    /// <summary>Converts by rule.</summary>
    /// <param name="rows">Rows in order.</param>
    /// <param name="form">The form wanted.</param>
    /// <param name="share">
    /// The share of rows to convert, 0 … 1, chosen by <paramref name="seed"/>; the rest stay.
    /// </param>
    /// <param name="seed">Chooses the rows where only a share is converted.</param>
    public static ConversionReport Convert(
        IReadOnlyList<TrainingExample> rows, PromptForm form, double share = 1, long seed = 1) =>
        Convert(rows, form, share, seed, row => PromptRules.Apply(((InstructionExample)row).Instruction, form));

    /// <summary>
    /// Converts by a file of wordings: rows with <c>origin_id</c> (or <c>id</c>) and <c>instruction</c>.
    /// </summary>
    /// <exception cref="SafeLlamaException">The file has faults, or names a row twice.</exception>
    public static ConversionReport ConvertByMapping(
        IReadOnlyList<TrainingExample> rows, PromptForm form, string mappingPath, double share = 1, long seed = 1)
    {
        var wordings = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var row in ExampleFile.Read(mappingPath, Answers.Optional).Examples)
        {
            if (!wordings.TryAdd(row.OriginId ?? row.Id, row.Question))
            {
                throw SafeLlamaException.InvalidData(
                    $"{row.Source}: \"{row.OriginId ?? row.Id}\" has two wordings; expected one for each row.");
            }
        }

        return Convert(rows, form, share, seed, row =>
            wordings.TryGetValue(row.Id, out var text) ? (text, $"wording from {mappingPath}") : null);
    }

    private static ConversionReport Convert(
        IReadOnlyList<TrainingExample> rows,
        PromptForm form,
        double share,
        long seed,
        Func<TrainingExample, (string Text, string Rule)?> wording)
    {
        if (share is not (>= 0 and <= 1))
        {
            throw SafeLlamaException.Usage($"`Share` {share}: expected a share from 0 to 1.");
        }

        var chosen = Philox.Stream(seed, "convert.share").Permutation(rows.Count)
            .Take((int)Math.Round(share * rows.Count)).ToHashSet();
        var (examples, unconvertible) = (new List<TrainingExample>(), new List<Unconverted>());
        var rules = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var (converted, already, left) = (0, 0, 0);
        for (var i = 0; i < rows.Count; i++)
        {
            if (!chosen.Contains(i))
            {
                left++;
                examples.Add(rows[i]);
            }
            else if (rows[i] is not InstructionExample row)
            {
                unconvertible.Add(new Unconverted(rows[i].Id, rows[i].Source, "is no instruction row"));
            }
            else if (PromptForms.Of(row.Instruction) == form)
            {
                already++;
                examples.Add(row);
            }
            else if (wording(row) is (var text, var rule))
            {
                converted++;
                rules[rule] = rules.GetValueOrDefault(rule) + 1;
                examples.Add(row with
                {
                    Instruction = text,
                    Id = $"{row.Id}/{form.ToString().ToLowerInvariant()}",
                    OriginId = row.OriginId ?? row.Id,
                });
            }
            else
            {
                unconvertible.Add(new Unconverted(row.Id, row.Source, $"no rule makes it {Article(form)}"));
            }
        }

        return new ConversionReport(examples, converted, already, left, unconvertible, rules);
    }

    private static string Article(PromptForm form) => form switch
    {
        PromptForm.Question => "a question",
        PromptForm.Opinion => "an opinion",
        _ => "an instruction",
    };
}
