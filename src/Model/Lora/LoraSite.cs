using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A linear that an adapter may stand beside.</summary>
/// <param name="Module">Its path.</param>
/// <param name="Layer">Its layer.</param>
/// <param name="Linear">Its name within the layer.</param>
/// <param name="Shape">[D_out, D_in].</param>
public sealed record LoraSite(string Module, int Layer, string Linear, Shape Shape)
{
    /// <summary>The seven linears of every block of a LLaMA.</summary>
    public static IReadOnlyList<LoraSite> Of(LlamaConfig model) =>
    [
        .. Enumerable.Range(0, model.Layers).SelectMany(_ => LlamaShapes.LinearNames, (layer, linear) => new LoraSite(
            LlamaShapes.Module(layer, linear), layer, linear, LlamaShapes.LinearShape(model, linear))),
    ];

    /// <summary>The six linears of every layer of an encoder.</summary>
    public static IReadOnlyList<LoraSite> Of(EncoderConfig model) =>
    [
        .. Enumerable.Range(0, model.Layers).SelectMany(_ => EncoderShapes.LinearNames, (layer, linear) => new LoraSite(
            EncoderShapes.Module(layer, linear), layer, linear, EncoderShapes.LinearShape(model, linear))),
    ];
}
