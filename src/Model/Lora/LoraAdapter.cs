using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>The updates of all linears of one fine-tuning run. Only they are trained and saved.</summary>
public sealed class LoraAdapter : IDisposable
{
    private readonly Dictionary<string, LoraFactors> _pairs = [];
    private readonly Arena _values;
    private readonly Arena _gradients;

    private LoraAdapter(
        IBackend backend, IReadOnlyList<LoraSite> sites, LoraConfig config, bool trainable, bool planOnly = false)
    {
        Config = config;
        _values = new Arena(backend, "adapter");
        _gradients = new Arena(backend, "adapter gradients");
        foreach (var site in sites.Where(s => config.Matches(s.Module, s.Layer, s.Linear)))
        {
            Plan(site.Module, site.Shape);
        }

        if (_pairs.Count == 0)
        {
            throw SafeLlamaException.Usage(
                "The adapter matches no linear of this model: targets "
                + $"{config.TargetPattern ?? string.Join(",", config.Targets)}"
                + (config.Layers.Count > 0
                    ? $", layers {string.Join(",", config.Layers)} of {sites.Max(s => s.Layer) + 1}"
                    : "") + ". "
                + $"Use some of {string.Join(",", sites.Select(s => s.Linear).Distinct())}.");
        }

        if (planOnly)
        {
            return;
        }

        _values.Commit();
        IsTrainable = trainable;
        if (trainable)
        {
            _gradients.Commit();
        }
    }

    public LoraConfig Config { get; }

    /// <summary>Whether there is room for gradients.</summary>
    public bool IsTrainable { get; }

    public IReadOnlyCollection<LoraFactors> Pairs => _pairs.Values;

    public LoraFactors? Find(string module) => _pairs.GetValueOrDefault(module);

    /// <summary>What is trained of every pair, in order of layer and linear.</summary>
    public IEnumerable<Parameter> Parameters => _pairs.Values.SelectMany(p => p.Parameters);

    /// <summary>The bytes of all values: what is trained, what a variant keeps frozen, what it derives.</summary>
    public long ValueBytes => _values.Tensors.Sum(t => t.ByteCount);

    /// <summary>The bytes of all gradients.</summary>
    public long GradientBytes => _gradients.Tensors.Sum(t => t.ByteCount);

    public long ParameterCount => Parameters.Sum(p => p.Value.Shape.Count);

    /// <summary>Whether ΔW is zero everywhere: the adapter would change nothing.</summary>
    public bool ChangesNothing => _pairs.Values.All(p => p.ChangesNothing);

    /// <summary>What a user should know of an adapter that was loaded, a line each.</summary>
    /// <param name="from">Its folder.</param>
    public IEnumerable<string> Notes(string from)
    {
        if (ChangesNothing)
        {
            yield return $"{from}: the adapter is zero everywhere and changes nothing.";
        }

        foreach (var pattern in Config.PatternsWithout(_pairs.Keys))
        {
            yield return $"{from}: the pattern \"{SafeText.ForTerminal(pattern)}\" of rank_pattern or alpha_pattern "
                + "matches no module and has no effect.";
        }
    }

    /// <summary>A new adapter, from which training begins at the base model.</summary>
    /// <param name="weights">The base: some variants begin with what is in it.</param>
    public static LoraAdapter Create(IBackend backend, LlamaWeights weights, LoraConfig config, long seed) =>
        Create(
            backend, LoraSite.Of(weights.Config), config, seed, module => weights[module + ".weight"].Value);

    /// <summary>A new adapter of a variant that does not look at the base.</summary>
    public static LoraAdapter Create(IBackend backend, LlamaConfig model, LoraConfig config, long seed) =>
        Create(backend, LoraSite.Of(model), config, seed);

    /// <param name="weight">W of a module; null where the variant does not look at it.</param>
    public static LoraAdapter Create(
        IBackend backend, IReadOnlyList<LoraSite> sites, LoraConfig config, long seed,
        Func<string, Tensor>? weight = null)
    {
        config.Validate();
        var adapter = new LoraAdapter(backend, sites, config, trainable: true);
        foreach (var pair in adapter.Pairs)
        {
            pair.Initialize(backend, Philox.Stream(seed, "lora/" + pair.Module), weight?.Invoke(pair.Module));
        }

        return adapter;
    }

    /// <summary>The pairs without memory for any: what they would need can be planned, nothing computed.</summary>
    public static LoraAdapter Plan(IBackend backend, LlamaConfig model, LoraConfig config)
    {
        config.Validate();
        return new LoraAdapter(backend, LoraSite.Of(model), config, trainable: true, planOnly: true);
    }

    /// <summary>Room for pairs that <see cref="PeftFolder"/> fills from a file.</summary>
    internal static LoraAdapter Empty(
        IBackend backend, IReadOnlyList<LoraSite> sites, LoraConfig config, bool trainable) =>
        new(backend, sites, config, trainable);

    public void Dispose()
    {
        _values.Dispose();
        _gradients.Dispose();
    }

    private void Plan(string module, Shape shape)
    {
        var slot = new LoraSlot(
            _pairs.Count, module, shape, Config.RankOf(module), Config.ScaleOf(module), Config.Dropout, _values,
            _gradients);
        _pairs[module] = Config.Variant switch
        {
            LoraVariant.Dora => new DoraLora(slot),
            LoraVariant.Pissa => new PissaLora(slot),
            _ => new PlainLora(slot),
        };
    }
}
