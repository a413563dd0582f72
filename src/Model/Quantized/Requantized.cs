using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>What quantizing merged weights once more would do to an update: the size of the error beside its own.
/// </summary>
/// <remarks>
/// <code>
/// ratio = ‖q‖ / ‖Δ‖        Δ = s · B A,   q = Q(W + Δ) − (W + Δ)
/// </code>
/// Norms are Frobenius norms over the adapted linears of a layer. At a ratio of 1 and more, what an adapter has learned
/// drowns in rounding: a merged model is therefore written in bf16 or fp32.
/// </remarks>
public sealed class Requantized
{
    private readonly SortedDictionary<int, (double Error, double Update)> _layers = [];

    /// <summary>‖q‖ / ‖Δ‖ of each layer that has an adapter.</summary>
    public IReadOnlyDictionary<int, double> Ratios => _layers.ToDictionary(
        layer => layer.Key, layer => Math.Sqrt(layer.Value.Error / Math.Max(layer.Value.Update, double.Epsilon)));

    /// <summary>Adds some rows of a weight.</summary>
    /// <param name="name">The weight.</param>
    /// <param name="format">How the base stores it.</param>
    /// <param name="before">W, as it is decoded.</param>
    /// <param name="merged">W + Δ.</param>
    internal void Add(string name, WeightFormat format, double[] before, double[] merged)
    {
        var values = Array.ConvertAll(merged, value => (float)value);
        var again = format is Nf4Format ? Nf4(values) : Int8(values, ((Int8Format)format).BlockSize);
        var (error, update) = (0.0, 0.0);
        for (var i = 0; i < merged.Length; i++)
        {
            error += (again[i] - merged[i]) * (again[i] - merged[i]);
            update += (merged[i] - before[i]) * (merged[i] - before[i]);
        }

        var layer = int.Parse(name.Split('.')[2], System.Globalization.CultureInfo.InvariantCulture);
        var (errors, updates) = _layers.GetValueOrDefault(layer);
        _layers[layer] = (errors + error, updates + update);
    }

    private static float[] Nf4(float[] values)
    {
        var (packed, absmax) = (new byte[(values.Length + 1) / 2], new float[(values.Length + 63) / Nf4Format.Shared]);
        Nf4Quantizer.Quantize(values, packed, absmax);
        return [.. values.Select((_, i) =>
            Nf4Format.Values[i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15] * absmax[i / Nf4Format.Shared])];
    }

    private static float[] Int8(float[] values, int columns)
    {
        var codes = new sbyte[columns];
        for (var first = 0; first < values.Length; first += columns)
        {
            var row = values.AsSpan(first, columns);
            var most = Int8Quantizer.Absmax(row);
            Int8Quantizer.Quantize(row, most, codes);
            for (var i = 0; i < columns; i++)
            {
                row[i] = codes[i] * Int8Format.Scale(most);
            }
        }

        return values;
    }
}
