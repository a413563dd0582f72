using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Inference.Tests;

/// <summary>The refusal direction, its removal and its addition against the authors' code.</summary>
public sealed class DirectionParityTests
{
    private static IEnumerable<string> Cases => ReferenceCase.Names("activation");

    [TestCaseSource(nameof(Cases))]
    public void Direction_ablation_addition_and_orthogonalized_weights_agree_with_the_reference(string name)
    {
        using var reference = ReferenceCase.Open(name);
        using var backend = new CpuBackend(threads: 1);
        using var model = new Opened(backend, reference.ModelFolder);
        var (harmful, harmless) = (Prompts(reference, "harmful"), Prompts(reference, "harmless"));
        var positions = reference.Field("positions").EnumerateArray().Select(p => p.GetInt32()).ToArray();
        var directions = positions.Select(p => RefusalDirection.Find(model.Llama, harmful, harmless, p)).ToList();
        reference.Compare(
            "mean_diff", [.. directions.SelectMany(d => d.Layers.SkipLast(1)).SelectMany(l => l.Vector)],
            reference.Doubles("mean_diff"), reference.Tolerance("mean_diff_atol"));

        var layer = reference.Field("layer").GetInt32();
        var found = directions[Array.IndexOf(positions, reference.Field("position").GetInt32())].Layers[layer];
        reference.Compare("direction_norm", found.Norm, reference.Tolerance("mean_diff_atol") * 8);
        var direction = reference.Doubles("direction");
        reference.Compare("direction", found.Vector, direction, reference.Tolerance("mean_diff_atol"));

        var ids = reference.Ints("eval_ids").Chunk(reference.ShapeOf("eval_ids")[1]).ToArray();
        void Agree(string what, double[] logits) => reference.Compare(
            what, logits, reference.Doubles(what), reference.Tolerance("logits_atol"),
            reference.Tolerance("logits_rtol"));
        Agree("logits_before", model.Logits(ids, null));
        var ablated = model.Logits(ids, new DirectionAblation(direction));
        Agree("logits_ablated", ablated);
        var scale = reference.Number("addition_coefficient");
        Agree("logits_added", model.Logits(ids, new DirectionAddition(direction, layer, scale)));
        Assert.That(
            () => Agree("logits_added", model.Logits(ids, new DirectionAddition(direction, layer - 1, scale))),
            Throws.TypeOf<ParityException>(), "the layer matters");
        Assert.That(
            () => Agree("logits_ablated", model.Logits(
                ids, new DirectionAblation(directions[0].Layers[layer - 1].Vector))),
            Throws.TypeOf<ParityException>(), "the direction of another layer is another one");

        var folder = TestFiles.NewFolder();
        var changed = DirectionRemoval.Write(folder, reference.ModelFolder, model.Weights, direction);
        using var removed = new Opened(backend, folder);
        var orthogonal = removed.Logits(ids, null);
        Agree("logits_orthogonalised", orthogonal);
        reference.Compare(
            "ablated against orthogonalized", orthogonal, ablated,
            reference.Tolerance("ablated_vs_orthogonalised_atol"));
        CheckWeights(reference, removed.Weights, changed);
        reference.Skip("effect");
        reference.MustBeReadWhole();
    }

    private static void CheckWeights(ReferenceCase reference, LlamaWeights weights, int changed)
    {
        foreach (var name in reference.TensorNames("orthogonalised."))
        {
            reference.Compare(
                name, weights[name["orthogonalised.".Length..]].Value.ReadDoubles(), reference.Doubles(name),
                reference.Tolerance("weight_atol"));
        }

        var summary = reference.Field("orthogonalised_summary").EnumerateObject().ToList();
        Assert.That(changed, Is.EqualTo(summary.Count));
        foreach (var weight in summary)
        {
            var values = weights[weight.Name].Value.ReadDoubles();
            var tolerance = reference.Tolerance("weight_atol");
            // A sum of n roundings of one size, each either way, grows with √n; five deviations of it.
            var many = 5 * Math.Sqrt(values.Length) * tolerance;
            reference.Compare(weight.Name, values.Sum(), weight.Value.GetProperty("sum").GetDouble(), many);
            reference.Compare(
                weight.Name, UnitVector.Norm(values), weight.Value.GetProperty("l2").GetDouble(), many);
            reference.Compare(
                weight.Name, values.Max(Math.Abs), weight.Value.GetProperty("abs_max").GetDouble(), tolerance);
        }
    }

    private static int[][] Prompts(ReferenceCase reference, string kind)
    {
        var (ids, mask) = (reference.Ints(kind + "_ids"), reference.Ints(kind + "_mask"));
        var length = reference.ShapeOf(kind + "_ids")[1];
        return
        [
            .. ids.Zip(mask).Chunk(length).Select(row => row.Where(t => t.Second == 1).Select(t => t.First).ToArray()),
        ];
    }
}
