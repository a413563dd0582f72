namespace SafeLlama.Model;

/// <summary>How positions are turned into angles.</summary>
public enum RopeType
{
    /// <summary>frequency[i] = θ^(−2i/d).</summary>
    Default,

    /// <summary>Positions divided by a factor (Chen et al. 2023, arXiv:2306.15595).</summary>
    Linear,

    /// <summary>Low frequencies divided by a factor, high ones kept, a ramp between (Llama 3.1).</summary>
    Llama3,
}

/// <summary>Rotary position embedding as the checkpoint was trained.</summary>
public sealed record RopeConfig
{
    public RopeType Type { get; init; } = RopeType.Default;

    /// <summary>θ, the base of the frequencies.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>The factor by which low frequencies are reduced.</summary>
    public double Factor { get; init; } = 1;

    public double LowFrequencyFactor { get; init; } = 1;

    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>The context length before it was extended, in tokens.</summary>
    public int OriginalMaxPositions { get; init; } = 8192;

    /// <summary>What each of the d/2 frequencies is divided by, where a file gives numbers instead of a rule.</summary>
    public IReadOnlyList<double>? Divisors { get; init; }

    /// <summary>The angle per position of each feature pair, d/2 of them.</summary>
    public double[] Frequencies(int headDim)
    {
        var frequencies = new double[headDim / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = Scale(Math.Pow(Theta, -2.0 * i / headDim)) / (Divisors?[i] ?? 1);
        }

        return frequencies;
    }

    private double Scale(double frequency)
    {
        if (Type == RopeType.Default)
        {
            return frequency;
        }

        if (Type == RopeType.Linear)
        {
            return frequency / Factor;
        }

        var wavelength = 2 * Math.PI / frequency;
        if (wavelength < OriginalMaxPositions / HighFrequencyFactor)
        {
            return frequency;
        }

        if (wavelength > OriginalMaxPositions / LowFrequencyFactor)
        {
            return frequency / Factor;
        }

        var smooth = ((OriginalMaxPositions / wavelength) - LowFrequencyFactor)
            / (HighFrequencyFactor - LowFrequencyFactor);
        return ((1 - smooth) * frequency / Factor) + (smooth * frequency);
    }
}
