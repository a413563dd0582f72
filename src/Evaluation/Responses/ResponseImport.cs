using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>
/// Imports answers made elsewhere: XSTest's and JailbreakBench's completion files, plain JSON, JSONL or CSV, or our own
/// store.
/// </summary>
/// <remarks>
/// A row needs a prompt (<c>prompt</c>, <c>instruction</c>, <c>question</c>) and an answer (<c>response</c>,
/// <c>completion</c>, <c>output</c>, <c>answer</c>); <c>id</c>, <c>suite</c> and <c>sample</c> are optional. Our own
/// <c>responses.jsonl</c> has its prompts, with their labels, in the <c>prompts.jsonl</c> beside it: it is read back as
/// it was written.
/// </remarks>
public static class ResponseImport
{
    /// <summary>The result of an import.</summary>
    /// <param name="Items">Each answer with its prompt, in the file's order.</param>
    /// <param name="Unmatched">Rows whose prompt is in none of the suites given; they are left out, and counted
    /// here.</param>
    /// <param name="Sha256">Hash of the file.</param>
    /// <param name="Notes">Remarks, one line each.</param>
    public sealed record Result(
        IReadOnlyList<JudgedAnswer> Items, int Unmatched, string Sha256, IReadOnlyList<string> Notes)
    {
        /// <summary>Prompts of the given suites that the file does not answer.</summary>
        public IReadOnlyList<SuitePrompt> Unanswered { get; init; } = [];

        /// <summary>How the answers were decoded; null unless all rows agree.</summary>
        public DecodingConfig Settings => Items.Select(i => i.Response.Settings).Distinct().ToArray() is [var all]
            ? all
            : DecodingConfig.Elsewhere;
    }

    /// <param name="path">The file of answers.</param>
    /// <param name="suites">The suites they answer; none means that the file has its own prompts.</param>
    /// <exception cref="SafeLlamaException">
    /// The file cannot be read, a row lacks a prompt or an answer, or two rows contradict each other.
    /// </exception>
    public static Result Read(string path, IReadOnlyList<PromptSuite> suites)
    {
        var file = RowFile.Read(path);
        var source = new SuiteSource(
            Path.GetFileNameWithoutExtension(path), path, PromptLabel.Unsafe, 0, "answers made elsewhere", "");
        ImportedRow[] rows = [.. file.Rows.Select(raw => ImportedRow.Of(new SuiteRow(raw, path, source)))];
        suites = suites.Count == 0 && rows.All(row => row.IsOwn) ? [Beside(path, file.Sha256)] : suites;
        var finder = new PromptFinder(suites);
        SuitePrompt?[] found = suites.Count > 0
            ? Array.ConvertAll<ImportedRow, SuitePrompt?>(rows, finder.Find)
            : OwnPrompts(rows);
        MustAgree(rows, found);
        var answered = rows.Zip(found).Where(x => x.Second is not null).Select(x => (Row: x.First, Prompt: x.Second!))
            .ToArray();
        MustBeEven(answered);
        var items = Number(answered);
        var asked = items.Select(i => i.Prompt.Key).ToHashSet();
        SuitePrompt[] unanswered = [.. suites.SelectMany(s => s.Prompts).Where(p => !asked.Contains(p.Key))];
        var unmatched = rows.Length - answered.Length;
        return new(
            items, unmatched, file.Sha256,
            [.. file.Notes, .. Notes(path, rows, found, finder, suites, unmatched, unanswered)])
        {
            Unanswered = unanswered,
        };
    }

    /// <summary>The prompts of a run's answers, with their labels, are in a file beside them.</summary>
    private static PromptSuite Beside(string path, string hash)
    {
        var prompts = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, EvaluationRun.PromptsFile);
        return File.Exists(prompts)
            ? new(Path.GetFileNameWithoutExtension(path), prompts, hash, RecordStore.Read<SuitePrompt>(prompts), [])
            : throw SafeLlamaException.InvalidData(
                $"{path}: holds a run's answers without their prompts' labels, and no {EvaluationRun.PromptsFile} lies "
                + "beside it. Name the suites it answers, or keep the two files together.");
    }

    /// <summary>Prompts from the rows themselves; rows of equal text without an id answer one prompt.</summary>
    private static SuitePrompt[] OwnPrompts(ImportedRow[] rows)
    {
        var taken = rows.Select(r => r.Id).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var byText = new Dictionary<(string?, string), string>();
        string IdOf(ImportedRow row)
        {
            if (row.Id is { } id || byText.TryGetValue((row.Suite, row.Text), out id))
            {
                return id;
            }

            var number = $"{row.Row.Raw.Number}";
            while (!taken.Add(number))
            {
                number = "row-" + number;
            }

            return byText[(row.Suite, row.Text)] = number;
        }

        return [.. rows.Select(row => row.OwnPrompt(IdOf(row)))];
    }

    /// <summary>Rows that name the same prompt must agree on its text and its fields.</summary>
    private static void MustAgree(ImportedRow[] rows, SuitePrompt?[] found)
    {
        var first = new Dictionary<string, (ImportedRow Row, SuitePrompt Prompt)>(StringComparer.Ordinal);
        foreach (var (row, prompt) in rows.Zip(found))
        {
            if (prompt is null || first.TryAdd(prompt.Key, (row, prompt)))
            {
                continue;
            }

            var (before, told) = first[prompt.Key];
            var what = before.Text.Trim() != row.Text.Trim() ? "another prompt"
                : told.Label != prompt.Label ? $"the label {told.Label.ToString().ToLowerInvariant()}"
                : told != prompt ? "another description"
                : null;
            if (what is not null)
            {
                throw SafeLlamaException.InvalidData(
                    $"{row.Place}: {prompt.Key} has {what} on line {before.Row.Place.Place}. If these are two prompts, "
                    + "give each an id of its own, or a \"suite\".");
            }
        }
    }

    /// <summary>
    /// Rates count answers: a prompt that was tried again and again would hide the others. Up to twice as many, or rows
    /// that number their samples and so say that they mean it, are told by a note.
    /// </summary>
    private static void MustBeEven((ImportedRow Row, SuitePrompt Prompt)[] answered)
    {
        var byPrompt = answered.GroupBy(a => a.Prompt.Key, StringComparer.Ordinal).ToArray();
        var least = byPrompt.Select(g => g.Count()).DefaultIfEmpty().Min();
        var (row, prompt) = byPrompt.Where(g => g.Count() > 2 * least).SelectMany(g => g)
            .FirstOrDefault(a => a.Row.Sample is null);
        if (row is null)
        {
            return;
        }

        var count = answered.Count(a => a.Prompt.Key == prompt!.Key);
        throw SafeLlamaException.InvalidData(
            $"{row.Place}: {prompt!.Key} is answered {Counted.Of(count, "time")}, other prompts {least}, and rates "
            + "count answers. Keep as many rows for every prompt, or twice as many at most; or number the answers of "
            + "each (\"sample\", from 0 on) if the file means it.");
    }

    /// <summary>Rows without a sample number get the free numbers, in the file's order.</summary>
    private static JudgedAnswer[] Number((ImportedRow Row, SuitePrompt Prompt)[] answered)
    {
        var taken = new Dictionary<(string, int), ImportedRow>();
        foreach (var (row, prompt) in answered.Where(a => a.Row.Sample is not null))
        {
            if (!taken.TryAdd((prompt.Key, row.Sample!.Value), row))
            {
                throw SafeLlamaException.InvalidData(
                    $"{row.Place}: sample {row.Sample} of {prompt.Key} was already given on line "
                    + $"{taken[(prompt.Key, row.Sample.Value)].Place.Place}.");
            }
        }

        var next = new Dictionary<string, int>(StringComparer.Ordinal);
        int SampleOf(ImportedRow row, SuitePrompt prompt)
        {
            var sample = row.Sample ?? next.GetValueOrDefault(prompt.Key);
            while (row.Sample is null && !taken.TryAdd((prompt.Key, sample), row))
            {
                sample++;
            }

            next[prompt.Key] = row.Sample is null ? sample + 1 : next.GetValueOrDefault(prompt.Key);
            return sample;
        }

        return [.. answered.Select(a => new JudgedAnswer(
            a.Prompt, a.Row.ToResponse(a.Prompt, SampleOf(a.Row, a.Prompt))))];
    }

    private static IEnumerable<string> Notes(
        string path, ImportedRow[] rows, SuitePrompt?[] found, PromptFinder finder,
        IReadOnlyList<PromptSuite> suites, int unmatched, SuitePrompt[] unanswered)
    {
        if (unmatched > 0)
        {
            yield return
                $"{path}: {unmatched} of {rows.Length} answers are to prompts of no suite given, and left out.";
        }

        var counts = rows.Zip(found).Where(x => x.Second is not null).CountBy(x => x.Second!.Key)
            .Select(x => x.Value).ToArray();
        if (counts.Distinct().Count() > 1)
        {
            yield return $"{path}: prompts have between {counts.Min()} and {counts.Max()} answers, and rates count "
                + "answers: those with more weigh more.";
        }

        if (unanswered.Length > 0)
        {
            yield return $"{path}: {unanswered.Length} of {suites.Sum(s => s.Prompts.Count)} prompts of the suites "
                + "have no answer here, and no rate counts them: "
                + string.Join(", ", unanswered.Take(3).Select(p => p.Key))
                + (unanswered.Length > 3 ? ", …." : ".");
        }

        if (finder.Reworded > 0)
        {
            yield return $"{path}: {finder.Reworded} of {rows.Length} prompts are worded otherwise than the suite has "
                + "them under their id.";
        }

        if (finder.Renamed > 0)
        {
            yield return $"{path}: {finder.Renamed} of {rows.Length} answers name a suite or an id that their prompt "
                + "does not have; they are matched by the prompt's exact text.";
        }

        if (finder.SharedOut > 0)
        {
            yield return $"{path}: {finder.SharedOut} answers without a matching id are to prompts of equal text, and "
                + "shared out between them in the file's order.";
        }

        var unlabeled = suites.Count > 0 ? 0 : rows.Count(r =>
            !r.Row.Raw.Fields.ContainsKey("prompt_label") && r.OwnPrompt("").Label == PromptLabel.Unsafe);
        if (unlabeled > 0)
        {
            yield return $"{path}: {unlabeled} of {rows.Length} rows do not say what answering them would mean "
                + "(\"prompt_label\"); their prompts are taken to be unsafe.";
        }
    }
}
