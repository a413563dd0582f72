using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>Cosines and sines of every position and feature pair, computed once on the host in fp64.</summary>
public sealed class RopeTable
{
    internal RopeTable(Arena arena, LlamaConfig config, int positions)
    {
        (Positions, Config) = (positions, config);
        Cos = arena.Take(new(positions, config.HeadDim / 2), arena.Backend.Accumulation, "rope_cos");
        Sin = arena.Take(new(positions, config.HeadDim / 2), arena.Backend.Accumulation, "rope_sin");
    }

    /// <summary>P: sequences may be this long.</summary>
    public int Positions { get; }

    /// <summary>[P, d/2].</summary>
    public Tensor Cos { get; }

    /// <summary>[P, d/2].</summary>
    public Tensor Sin { get; }

    private LlamaConfig Config { get; }

    internal void Fill()
    {
        var frequencies = Config.Rope.Frequencies(Config.HeadDim);
        var (cos, sin) = (new double[Positions * frequencies.Length], new double[Positions * frequencies.Length]);
        for (var p = 0; p < Positions; p++)
        {
            for (var i = 0; i < frequencies.Length; i++)
            {
                var place = (p * frequencies.Length) + i;
                (sin[place], cos[place]) = Math.SinCos(p * frequencies[i]);
            }
        }

        Cos.Write(cos);
        Sin.Write(sin);
    }
}
