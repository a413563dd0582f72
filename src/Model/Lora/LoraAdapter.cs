using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>All low-rank pairs of one fine-tuning run. Only they are trained and saved.</summary>
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
            Plan(backend, site.Module, site.Shape);
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
        if (trainable)
        {
            _gradients.Commit();
        }
    }

    public LoraConfig Config { get; }

    public IReadOnlyCollection<LoraFactors> Pairs => _pairs.Values;

    public LoraFactors? Find(string module) => _pairs.GetValueOrDefault(module);

    /// <summary>A and B of every pair, in order of layer and linear.</summary>
    public IEnumerable<Parameter> Parameters => _pairs.Values.SelectMany(p => new[] { p.A, p.B });

    public long ParameterCount => Parameters.Sum(p => p.Value.Shape.Count);

    /// <summary>Whether ΔW is zero everywhere: the adapter would change nothing.</summary>
    public bool ChangesNothing => _pairs.Values.All(p =>
        p.Scale == 0 || p.B.Value.ReadDoubles().All(b => b == 0) || p.A.Value.ReadDoubles().All(a => a == 0));

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

    /// <summary>
    /// A drawn uniformly within ±1/√D_in (He et al.'s rule as PEFT has it), B zero: training begins at the base model.
    /// </summary>
    public static LoraAdapter Create(IBackend backend, LlamaConfig model, LoraConfig config, long seed) =>
        Create(backend, LoraSite.Of(model), config, seed);

    /// <inheritdoc cref="Create(IBackend, LlamaConfig, LoraConfig, long)"/>
    public static LoraAdapter Create(IBackend backend, IReadOnlyList<LoraSite> sites, LoraConfig config, long seed)
    {
        config.Validate();
        var adapter = new LoraAdapter(backend, sites, config, trainable: true);
        foreach (var pair in adapter.Pairs)
        {
            var stream = Philox.Stream(seed, "lora/" + pair.Module);
            var bound = 1 / Math.Sqrt(pair.A.Value.Columns);
            var values = new double[pair.A.Value.Shape.Count];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = bound * ((2 * stream.Uniform(i)) - 1);
            }

            pair.A.Value.Write(values);
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

    private void Plan(IBackend backend, string module, Shape shape)
    {
        var rank = Config.RankOf(module);
        var (a, b) = (PeftFolder.Key(module, "A"), PeftFolder.Key(module, "B"));
        Parameter Take(string name, Shape of) => new(
            name,
            _values.Take(of, backend.Accumulation, name),
            _gradients.Take(of, backend.Accumulation, "d " + name),
            Decays: true);
        _pairs[module] = new LoraFactors(
            _pairs.Count,
            module,
            Take(a, new(rank, shape[1])),
            Take(b, new(shape[0], rank)),
            Config.ScaleOf(module),
            Config.Dropout);
    }
}
