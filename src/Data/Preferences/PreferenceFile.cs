using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>A data file read as preferences, with everything that is passed over.</summary>
/// <remarks>
/// <code>
/// chosen, rejected     beside instruction (and input), question (and system), prompt, or messages
/// chosen, rejected     two lists of messages, or two transcripts of "Human:" and "Assistant:" turns
/// completion, label    beside instruction, question, prompt or messages; label is true where the answer is wanted
/// </code>
/// </remarks>
/// <param name="Path">The file, as the user named it.</param>
/// <param name="Sha256">Hash of the file's bytes.</param>
/// <param name="RowCount">Rows in the file.</param>
/// <param name="Rows">Those that can be learned from, in the file's order.</param>
/// <param name="Skipped">The others, with the reason.</param>
/// <param name="IgnoredFields">Fields that are not used, and how many rows have them.</param>
/// <param name="Notes">What was noticed and passed over.</param>
public sealed record PreferenceFile(
    string Path,
    string Sha256,
    int RowCount,
    IReadOnlyList<PreferenceRow> Rows,
    IReadOnlyList<(string Id, PreferenceSkip Why)> Skipped,
    IReadOnlyDictionary<string, int> IgnoredFields,
    IReadOnlyList<string> Notes)
{
    /// <summary>Reads files, one behind the other; faults of all of them make one report.</summary>
    /// <exception cref="SafeLlamaException">A file is missing or unreadable, or has faults.</exception>
    public static IReadOnlyList<PreferenceFile> ReadAll(IEnumerable<string> paths)
    {
        var faults = new List<DataFault>();
        var files = paths.Select(path => Read(path, faults)).ToList();
        return faults.Count == 0 ? files : throw SafeLlamaException.InvalidData(DataFaults.Report(faults));
    }

    /// <summary>A line for the file, then one for every kind of row or field that is passed over.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Path}: {Counted.Of(RowCount, "row")}, sha256 {Sha256[..12]}…";
        foreach (var why in Skipped.GroupBy(s => s.Why).OrderBy(g => g.Key))
        {
            yield return $"{Path}: {Counted.Of(why.Count(), "row")} left out, {Reason(why.Key)}: "
                + $"{string.Join(", ", why.Take(5).Select(s => s.Id))}{(why.Count() > 5 ? ", …" : "")}";
        }

        if (IgnoredFields.Count > 0)
        {
            yield return $"{Path}: fields not used: "
                + string.Join(", ", IgnoredFields.Select(field => $"{field.Key} ({Counted.Of(field.Value, "row")})"));
        }

        if (Rows.Any(row => (row.Chosen ?? row.Rejected) is CompletionExample))
        {
            yield return $"{Path}: \"prompt\" is taken as it stands, without a template; name it \"instruction\" to "
                + "have one put around it.";
        }
    }

    private static PreferenceFile Read(string path, List<DataFault> faults)
    {
        var file = RowFile.Inspect(path);
        var forms = new PreferenceForms(path);
        foreach (var row in file.Rows)
        {
            forms.Add(row);
        }

        faults.AddRange(file.Faults.Concat(forms.Faults).OrderBy(fault => fault.Source.Line));
        return new(path, file.Sha256, file.Rows.Count, forms.Rows, forms.Skipped, forms.IgnoredFields, file.Notes);
    }

    private static string Reason(PreferenceSkip why) => why switch
    {
        PreferenceSkip.EqualAnswers => "their two answers are the same",
        PreferenceSkip.EmptyAnswer => "an answer is empty",
        PreferenceSkip.PromptsDiffer => "their conversations differ before the last answer",
        _ => "user and assistant do not take turns in them",
    };
}
