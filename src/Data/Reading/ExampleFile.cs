using SafeLlama.Common;

namespace SafeLlama.Data;

/// <summary>Whether every row must carry an answer.</summary>
public enum Answers
{
    /// <summary>To train on: a row without an answer is a fault.</summary>
    Required,

    /// <summary>
    /// To ask: prompts alone are enough, and the fields of well-known evaluation sets are understood.
    /// </summary>
    Optional,
}

/// <summary>A data file read as examples, with its faults and everything that was ignored.</summary>
/// <param name="Path">The file, as the user named it.</param>
/// <param name="Format">How it is stored.</param>
/// <param name="Sha256">Hash of the file's bytes.</param>
/// <param name="RowCount">Rows seen, good or bad.</param>
/// <param name="Examples">The good ones, in the file's order.</param>
/// <param name="Faults">The faults of the others.</param>
/// <param name="IgnoredFields">Fields no form of example uses, and how many rows have them.</param>
/// <param name="Notes">Remarks on ignored content.</param>
public sealed record ExampleFile(
    string Path,
    RowFormat Format,
    string Sha256,
    int RowCount,
    IReadOnlyList<TrainingExample> Examples,
    IReadOnlyList<DataFault> Faults,
    IReadOnlyDictionary<string, int> IgnoredFields,
    IReadOnlyList<string> Notes)
{
    /// <summary>Reads a file without faults.</summary>
    /// <exception cref="SafeLlamaException">
    /// It is missing or unreadable, or has faults: one message names them all.
    /// </exception>
    public static ExampleFile Read(string path, Answers answers = Answers.Required)
    {
        var file = Inspect(path, answers);
        return file.Faults.Count == 0 ? file : throw SafeLlamaException.InvalidData(DataFaults.Report(file.Faults));
    }

    /// <summary>Reads several files in order; one report holds the faults of all.</summary>
    /// <exception cref="SafeLlamaException">As <see cref="Read"/>.</exception>
    public static IReadOnlyList<ExampleFile> ReadAll(IEnumerable<string> paths, Answers answers = Answers.Required)
    {
        var files = paths.Select(path => Inspect(path, answers)).ToList();
        var faults = files.SelectMany(file => file.Faults).ToList();
        return faults.Count == 0 ? files : throw SafeLlamaException.InvalidData(DataFaults.Report(faults));
    }

    /// <summary>Reads a file and keeps its faults beside its examples.</summary>
    /// <exception cref="SafeLlamaException">It is missing, cannot be read, or its ending is unknown.</exception>
    public static ExampleFile Inspect(string path, Answers answers = Answers.Required)
    {
        var rows = RowFile.Inspect(path, onePerLine: answers == Answers.Optional);
        var forms = new ExampleForms(path, answers);
        foreach (var row in rows.Rows)
        {
            forms.Add(row);
        }

        var unread = rows.Faults.Select(fault => fault.Source.Line).Distinct().Count();
        return new ExampleFile(
            path,
            rows.Format,
            rows.Sha256,
            rows.Rows.Count + unread,
            forms.Examples,
            [.. rows.Faults.Concat(forms.Faults).OrderBy(fault => fault.Source.Line)],
            forms.IgnoredFields,
            rows.Notes);
    }
}
