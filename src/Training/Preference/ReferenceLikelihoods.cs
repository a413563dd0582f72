using System.Globalization;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>How likely every answer was before the first step: what the policy is compared with.</summary>
/// <remarks>
/// A new adapter changes nothing before its first step, so this is the base model; where training goes on from an
/// adapter, it is the base with that one. Computed once and stored, it needs no second model in memory.
/// </remarks>
public sealed class ReferenceLikelihoods
{
    /// <summary>The file in a run's folder.</summary>
    public const string FileName = "reference.json";

    private readonly Dictionary<TokenizedExample, double[]> _values = new(ReferenceEqualityComparer.Instance);

    private ReferenceLikelihoods(IReadOnlyList<PreferenceExample> examples, IReadOnlyList<double[]> values)
    {
        foreach (var (example, value) in examples.Zip(values))
        {
            _values[example] = value;
        }
    }

    /// <summary>Σ log p of each of an example's answers, and last of its mismatched one, where it has one.</summary>
    public double[] Of(PreferenceExample example) => _values[example];

    /// <summary>Values known from elsewhere.</summary>
    public static ReferenceLikelihoods Known(
        IReadOnlyList<PreferenceExample> examples, IReadOnlyList<double[]> values) => new(examples, values);

    /// <summary>Asks the model as it is now.</summary>
    /// <param name="workspace">Room for the longest micro-batch.</param>
    /// <param name="microBatch">Examples that pass through the model at once.</param>
    public static ReferenceLikelihoods Compute(
        Llama model, Workspace workspace, IReadOnlyList<PreferenceExample> examples, int microBatch,
        CancellationToken stop = default)
    {
        var values = new List<double[]>(examples.Count);
        foreach (var part in examples.Chunk(microBatch))
        {
            stop.ThrowIfCancellationRequested();
            var own = Measure(model, workspace, part);
            var withOther = part.Where(e => e.Mismatched is not null).Select(e => e.Mismatched!).ToList();
            var other = withOther.Count == 0 ? [] : Measure(model, workspace, withOther);
            var next = 0;
            values.AddRange(part.Select((e, i) => e.Mismatched is null ? own[i] : [.. own[i], other[next++][0]]));
        }

        return new(examples, values);
    }

    /// <summary>Reads what a run stored.</summary>
    /// <exception cref="SafeLlamaException">The file is damaged, or of other examples.</exception>
    public static ReferenceLikelihoods Read(string path, IReadOnlyList<PreferenceExample> examples)
    {
        ReferenceFile? file;
        try
        {
            file = FileErrors.Reading(
                path, () => JsonSerializer.Deserialize<ReferenceFile>(File.ReadAllText(path), Json.Line),
                ExitCode.InvalidData);
        }
        catch (JsonException e)
        {
            throw SafeLlamaException.InvalidData(
                $"{path}: is not what the run wrote: {e.Message.ReplaceLineEndings(" ")}", e, "start anew");
        }

        return file is not null && file.Sha256 == Hash(file.Rows)
            && file.Rows.Select(r => r.Id).SequenceEqual(examples.Select(e => e.Id))
            && file.Rows.Zip(examples).All(r => r.First.Values.Count == Count(r.Second))
            ? new(examples, [.. file.Rows.Select(r => r.Values.ToArray())])
            : throw new SafeLlamaException(
                ExitCode.InvalidData,
                $"{path}: was changed since the run wrote it, or belongs to other preferences.", null,
                "restore it", "start anew with another `Out`");
    }

    public void Write(string path, IReadOnlyList<PreferenceExample> examples)
    {
        ReferenceRow[] rows = [.. examples.Select(e => new ReferenceRow(e.Id, _values[e]))];
        OutputFile.WriteJson(path, new ReferenceFile(Hash(rows), rows));
    }

    /// <summary>Σ log p over the answer of each sequence of each example, by one pass without dropout.</summary>
    internal static double[][] Measure(Llama model, Workspace workspace, IReadOnlyList<TokenizedExample> examples)
    {
        var packed = PackedBatch.Of(examples);
        var pass = workspace.For(packed.Length);
        pass.Batch.Upload(packed.Tokens, packed.Positions, packed.FirstKey, packed.Targets);
        pass.Batch.DropoutStream = null;
        model.Forward(pass);
        model.TargetLosses(pass);
        var nll = new RowLosses(packed, pass.Head.Nll.ReadDoubles());
        return [.. packed.Examples.Select(e => e.Example is PreferenceExample preference
            ? preference.Sequences.Select((s, i) => -nll.Sum(
                e.Start + s.Answer,
                e.Start + (i + 1 < preference.Sequences.Count ? preference.Sequences[i + 1].Start : e.Length)))
                .ToArray()
            : [-nll.Sum(e.Start, e.Start + e.Length)])];
    }

    private static int Count(PreferenceExample example) =>
        example.Sequences.Count + (example.Mismatched is null ? 0 : 1);

    private static string Hash(IReadOnlyList<ReferenceRow> rows) => ContentHash.OfText(string.Join('\n', rows.Select(
        r => $"{r.Id}\t{string.Join('\t', r.Values.Select(v => v.ToString("R", CultureInfo.InvariantCulture)))}")));
}
