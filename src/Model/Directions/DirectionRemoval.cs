using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Takes a direction out of every weight that writes to the residual stream, and writes the new
/// model.</summary>
/// <remarks>
/// <code>
/// o_proj, down_proj   W ← W − u (uᵀ W),  bias ← bias − (bias · u) u
/// embed_tokens        each row r ← r − (r · u) u
/// </code>
/// The model then computes what <see cref="DirectionAblation"/> computes at every place. A head that shares the
/// embedding table reads the stream and keeps the old table, so the new model's head is a tensor of its own. Arditi et
/// al. 2024, arXiv:2406.11717.
/// </remarks>
public static class DirectionRemoval
{
    /// <summary>The weights that write to the stream.</summary>
    public static bool Writes(string weight) =>
        weight == LlamaShapes.EmbeddingName
        || weight.Contains(".o_proj.", StringComparison.Ordinal)
        || weight.Contains(".down_proj.", StringComparison.Ordinal);

    /// <summary>Writes a model folder: weights, config, and the files beside the base's weights.</summary>
    /// <param name="folder">An existing, empty folder.</param>
    /// <param name="direction">[D], of any length but zero.</param>
    /// <returns>How many weights changed.</returns>
    /// <exception cref="SafeLlamaException">The base is quantized, or a GGUF file.</exception>
    public static int Write(string folder, string baseFolder, LlamaWeights weights, ReadOnlySpan<double> direction)
    {
        if (GgufHeader.IsGguf(baseFolder))
        {
            throw SafeLlamaException.Usage(
                $"{baseFolder}: is a GGUF file; a direction is taken out of the weights of a checkpoint folder.");
        }

        QuantizedNotes.RequirePlain(weights.Config, baseFolder, "have a direction taken out of its weights");
        var unit = UnitVector.Of(direction);
        var embedding = weights[LlamaShapes.EmbeddingName].Value;
        var isTied = weights.Find(LlamaShapes.HeadName) is null && !weights.Config.ScoresSequences;
        SafetensorsItem[] head = isTied ? [SafetensorsItem.Of(LlamaShapes.HeadName, embedding, embedding.Type)] : [];
        var changed = 0;
        var items = LlamaShapes.Of(weights.Config).Select(shape =>
        {
            var value = weights[shape.Name].Value;
            if (!Writes(shape.Name))
            {
                return SafetensorsItem.Of(shape.Name, value, value.Type);
            }

            changed++;
            return SafetensorsItem.Of(shape.Name, value, value.Type) with
            {
                Parts = () => Without(value, shape, unit),
            };
        }).ToList();
        SafetensorsWriter.Write(
            Path.Combine(folder, "model.safetensors"), items.Concat(head),
            new Dictionary<string, string> { ["format"] = "pt" });
        ModelFolder.CopyBeside(baseFolder, folder);
        var config = (JsonObject)weights.Config.Source.DeepClone();
        if (isTied)
        {
            config["tie_word_embeddings"] = false;
        }

        OutputFile.WriteText(
            Path.Combine(folder, "config.json"), config.ToJsonString(ModelFolder.Indented) + "\n");
        return changed;
    }

    /// <summary>The weight without u, a few rows at a time.</summary>
    private static IEnumerable<byte[]> Without(Tensor weight, WeightShape shape, double[] unit)
    {
        if (shape.Role == WeightRole.Bias)
        {
            var bias = weight.ReadDoubles();
            UnitVector.Project(bias, unit);
            yield return SafetensorsItem.Rounded(bias, weight.Type);
            yield break;
        }

        var readsRows = shape.Name == LlamaShapes.EmbeddingName;
        var along = readsRows ? [] : Along(weight, unit);
        foreach (var (first, rows) in SafetensorsItem.RowsOf(weight))
        {
            var values = rows.ReadDoubles();
            for (var row = 0; row < rows.Rows; row++)
            {
                var r = values.AsSpan(row * weight.Columns, weight.Columns);
                if (readsRows)
                {
                    UnitVector.Project(r, unit);
                    continue;
                }

                for (var column = 0; column < r.Length; column++)
                {
                    r[column] -= unit[first + row] * along[column];
                }
            }

            yield return SafetensorsItem.Rounded(values, weight.Type);
        }
    }

    /// <summary>[D_in] uᵀ W.</summary>
    private static double[] Along(Tensor weight, double[] unit)
    {
        var along = new double[weight.Columns];
        foreach (var (first, rows) in SafetensorsItem.RowsOf(weight))
        {
            var values = rows.ReadDoubles();
            for (var i = 0; i < values.Length; i++)
            {
                along[i % along.Length] += unit[first + (i / along.Length)] * values[i];
            }
        }

        return along;
    }
}
