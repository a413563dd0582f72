using System.Globalization;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>How likely every target of every row was before the first step.</summary>
/// <remarks>Computed once and stored, so that a resumed run compares with the same numbers, and no second model is in
/// memory.</remarks>
public sealed class TokenReference
{
    /// <summary>The file in a run's folder.</summary>
    public const string FileName = "reference.safetensors";

    private const string TensorName = "log_probabilities";

    private readonly Dictionary<TokenizedExample, ArraySegment<double>> _rows =
        new(ReferenceEqualityComparer.Instance);

    /// <param name="values">log p of the targets, row after row.</param>
    public TokenReference(IReadOnlyList<TokenizedExample> rows, double[] values)
    {
        var start = 0;
        foreach (var row in rows)
        {
            _rows[row] = new(values, start, row.TargetCount);
            start += row.TargetCount;
        }
    }

    /// <summary>log p of a row's targets, in nats.</summary>
    public IReadOnlyList<double> Of(TokenizedExample row) => _rows[row];

    /// <summary>Reads what a run stored, or asks the model as it is now and stores that.</summary>
    /// <param name="isNew">Whether no step was taken yet.</param>
    /// <exception cref="SafeLlamaException">The file is missing, damaged, or of other rows.</exception>
    public static TokenReference Load(
        string folder, bool isNew, Llama model, Workspace workspace, IReadOnlyList<TokenizedExample> rows,
        CancellationToken stop)
    {
        var path = Path.Combine(folder, FileName);
        if (isNew && !File.Exists(path))
        {
            Write(path, rows, Compute(model, workspace, rows, stop));
        }

        using var file = SafetensorsFile.Open(path);
        if (!file.Entries.TryGetValue(TensorName, out var entry)
            || file.Metadata.GetValueOrDefault("rows") != IdsHash(rows)
            || entry.Shape.Count != rows.Sum(row => (long)row.TargetCount))
        {
            throw new SafeLlamaException(
                ExitCode.InvalidData, $"{path}: was changed since the run wrote it, or belongs to other rows.", null,
                "restore it", "start anew with another `Out`");
        }

        var values = new double[entry.Shape.Count];
        TensorConvert.ToDoubles(file.Bytes(entry), file.NumberType(entry), values);
        return new(rows, values);
    }

    /// <summary>log p of every target, without dropout, a row at a time.</summary>
    private static double[] Compute(
        Llama model, Workspace workspace, IReadOnlyList<TokenizedExample> rows, CancellationToken stop) =>
    [
        .. rows.SelectMany(row =>
        {
            stop.ThrowIfCancellationRequested();
            var packed = PackedBatch.Of(row);
            var pass = workspace.For(packed.Length);
            pass.Batch.Upload(packed.Tokens, packed.Positions, packed.FirstKey, packed.Targets);
            pass.Batch.DropoutStream = null;
            model.Forward(pass);
            model.TargetLosses(pass);
            return pass.Head.Nll.ReadDoubles().Take(row.TargetCount).Select(nll => -nll);
        }),
    ];

    private static void Write(string path, IReadOnlyList<TokenizedExample> rows, double[] values)
    {
        using var backend = new ReferenceBackend();
        using var arena = new Arena(backend, "reference");
        var tensor = arena.Take(new(values.Length), DType.Float64, TensorName);
        arena.Commit();
        tensor.Write(values);
        SafetensorsWriter.Write(
            path, [SafetensorsItem.Of(TensorName, tensor, DType.Float64)],
            new Dictionary<string, string> { ["rows"] = IdsHash(rows) });
    }

    private static string IdsHash(IReadOnlyList<TokenizedExample> rows) => ContentHash.OfText(string.Join(
        '\n', rows.Select(row => $"{row.Id}\t{row.TargetCount.ToString(CultureInfo.InvariantCulture)}")));
}
