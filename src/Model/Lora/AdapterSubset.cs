namespace SafeLlama.Model;

/// <summary>The part of an adapter that is left on: some linears, at a rank no higher than it was trained
/// with.</summary>
public sealed record AdapterSubset
{
    /// <summary>Linears that the adapter leaves alone in every layer, such as <c>q_proj</c>.</summary>
    public IReadOnlyCollection<string> WithoutLinears { get; init; } = [];

    /// <summary>Layers that the adapter leaves alone, from 0.</summary>
    public IReadOnlyCollection<int> WithoutLayers { get; init; } = [];

    /// <summary>
    /// The most singular directions of each update s · B A that are left, the largest; null for all of them.
    /// </summary>
    public int? Rank { get; init; }

    /// <summary>Whether all of the adapter is on.</summary>
    public bool IsWhole => WithoutLinears.Count == 0 && WithoutLayers.Count == 0 && Rank is null;

    /// <summary>Whether the update beside a linear is on.</summary>
    /// <param name="module">Its path, <c>model.layers.3.self_attn.q_proj</c>.</param>
    public bool Holds(string module)
    {
        var (layer, linear) = LlamaShapes.PlaceOf(module);
        return !WithoutLayers.Contains(layer) && !WithoutLinears.Contains(linear);
    }
}
