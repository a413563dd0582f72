namespace SafeLlama.Model;

/// <summary>The value of largest magnitude, sign kept; of several the first.</summary>
internal static class Extreme
{
    public static float Of(ReadOnlySpan<float> x)
    {
        var extreme = 0f;
        foreach (var value in x)
        {
            extreme = MathF.Abs(value) > MathF.Abs(extreme) ? value : extreme;
        }

        return extreme;
    }
}
