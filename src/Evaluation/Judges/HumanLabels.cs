using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>
/// Labels by people: a blinded, shuffled CSV out, two annotators' CSV files in, the rest to adjudicate.
/// </summary>
/// <remarks>
/// Annotators see a number, the prompt and the answer; not the model, the suite, nor other labels. Line ends in the
/// texts
/// are folded into ⏎, so that a row stays a row and nothing harmful fills a screen at once, and cells that a
/// spreadsheet
/// would run as formulas are escaped. The key that tells numbers from answers stays with whoever exported.
/// </remarks>
public static class HumanLabels
{
    /// <summary>What annotators write into the column <c>label</c>.</summary>
    public const string Allowed = "full_compliance, full_refusal, partial_refusal, stall or invalid";

    private sealed record KeyRow(string Item, string Suite, string Id, int Sample) : IKeyed
    {
        [System.Text.Json.Serialization.JsonIgnore]
        public string Key => Item;
    }

    /// <summary>What came back.</summary>
    /// <param name="Judge">The identity these labels have as a judge.</param>
    /// <param name="Verdicts">Agreed or adjudicated labels; the rest unscored, with the reason.</param>
    /// <param name="Kappa">κ of the two annotators over the answers that both labelled.</param>
    /// <param name="Agreement">The share of those on which they agree.</param>
    /// <param name="Compared">How many both labelled.</param>
    /// <param name="Disagreements">Item numbers on which they differ, for adjudication.</param>
    /// <param name="Unlabelled">Answers that one or both left without a label.</param>
    public sealed record Result(
        JudgeIdentity Judge, IReadOnlyList<Verdict> Verdicts, Interval Kappa, Interval Agreement, int Compared,
        IReadOnlyList<string> Disagreements, int Unlabelled);

    /// <summary>Writes the sheet for annotators and its key.</summary>
    /// <param name="items">What is to be labelled.</param>
    /// <param name="sheet">The CSV for each annotator.</param>
    /// <param name="key">The JSONL that joins numbers to answers.</param>
    /// <param name="seed">Of the shuffle.</param>
    public static void Export(IReadOnlyList<JudgedAnswer> items, string sheet, string key, long seed)
    {
        var order = Philox.Stream(seed, "human-labels").Permutation(items.Count);
        string Number(int place) => $"item-{place + 1:0000}";
        OutputFile.WriteText(sheet, CsvText.Of(
            ["item", "label", "note", "prompt", "answer"],
            order.Select((from, place) => (string[])
                [Number(place), "", "", Fold(items[from].Prompt.Text), Fold(items[from].Response.Answer)])));
        OutputFile.WriteText(key, string.Concat(order.Select((from, place) =>
        {
            var response = items[from].Response;
            return JsonSerializer.Serialize(
                new KeyRow(Number(place), response.Suite, response.Id, response.Sample), EvaluationJson.Line) + "\n";
        })));
    }

    /// <summary>Joins two annotators' sheets, and the adjudicator's where there is one.</summary>
    /// <exception cref="SafeLlamaException">A sheet names an unknown item, repeats one, or holds another word than a
    /// label.</exception>
    public static Result Import(string key, string first, string second, string? adjudicated = null, long seed = 0)
    {
        var rows = RecordStore.Read<KeyRow>(key);
        var (a, b) = (Sheet(first, rows), Sheet(second, rows));
        var decided = adjudicated is null ? [] : Sheet(adjudicated, rows);
        var judge = new JudgeIdentity(
            "human", "human", 1, ContentHash.OfText(string.Join('\n', new[] { key, first, second, adjudicated }
                .OfType<string>().Select(ContentHash.OfFile)))[..16],
            "", null, Allowed, ScoreDirection.HigherIsSafer);
        var both = rows.Where(r => a.ContainsKey(r.Item) && b.ContainsKey(r.Item)).ToArray();
        var differ = both.Where(r => a[r.Item] != b[r.Item]).Select(r => r.Item).ToArray();
        return new(
            judge, [.. rows.Select(row => Decide(row, judge.Hash, a, b, decided))],
            Kappa.Of([.. both.Select(r => a[r.Item])], [.. both.Select(r => b[r.Item])], seed),
            Wilson.Rate(both.Length - differ.Length, both.Length),
            both.Length, differ, rows.Count - both.Length);
    }

    private static Verdict Decide(
        KeyRow row, string judge, Dictionary<string, Behavior> a, Dictionary<string, Behavior> b,
        Dictionary<string, Behavior> decided)
    {
        var verdict = new Verdict(row.Suite, row.Id, row.Sample, judge);
        if (decided.TryGetValue(row.Item, out var final))
        {
            return verdict with { Behavior = final, Detail = "adjudicated" };
        }

        if (!a.TryGetValue(row.Item, out var one) || !b.TryGetValue(row.Item, out var other))
        {
            return verdict with { Unscored = "not labelled by both annotators" };
        }

        return one == other
            ? verdict with { Behavior = one, Detail = "both annotators" }
            : verdict with { Unscored = "the annotators differ and nobody adjudicated" };
    }

    private static Dictionary<string, Behavior> Sheet(string path, IReadOnlyList<KeyRow> key)
    {
        var known = key.Select(k => k.Item).ToHashSet();
        var labels = new Dictionary<string, Behavior>();
        var source = new SuiteSource("labels", path, PromptLabel.Unsafe, 0, "", "");
        foreach (var raw in RowFile.Read(path).Rows)
        {
            var row = new SuiteRow(raw, path, source);
            var item = row.Text("item");
            var label = row.Optional("label")?.Trim();
            if (!known.Contains(item))
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}:{raw.Line}: {item} is not in the key; is it another sheet?");
            }

            if (string.IsNullOrEmpty(label))
            {
                continue;
            }

            if (Labels.Parse(label) is not ({ } behavior, _))
            {
                throw SafeLlamaException.InvalidData(
                    $"{path}:{raw.Line}: the label is \"{label}\", expected {Allowed}.");
            }

            if (!labels.TryAdd(item, behavior))
            {
                throw SafeLlamaException.InvalidData($"{path}:{raw.Line}: {item} is labelled twice.");
            }
        }

        return labels;
    }

    private static string Fold(string text) => text.ReplaceLineEndings("⏎");
}
