namespace SafeLlama.Model;

/// <summary>The row of the table of distances for each distance between two tokens.</summary>
/// <remarks>
/// <code>
/// bucket(r) = r                                                                            where |r| ≤ m = B / 2
///           = sign(r) · (m + ceil(log(|r| / m) / log((M − 1) / m) · (m − 1)))              beyond
/// row(r)    = clamp(bucket(r) + B, 0, 2B − 1)
/// </code>
/// DeBERTa-v2's <c>make_log_bucket_position</c>; the logarithms are taken in fp32, as there.
/// </remarks>
public static class RelativePositions
{
    /// <summary>The bucket of a distance, before it is clamped.</summary>
    /// <param name="distance">r = i − j.</param>
    public static int Bucket(EncoderConfig config, int distance)
    {
        var middle = config.DistanceSpan / 2;
        if (!config.LogBuckets || Math.Abs(distance) <= middle)
        {
            return distance;
        }

        var share = MathF.Log((float)Math.Abs(distance) / middle)
            / MathF.Log((float)((double)(config.MaxDistance - 1) / middle));
        return Math.Sign(distance) * (middle + (int)MathF.Ceiling(share * (middle - 1)));
    }

    /// <summary>The rows of the distances 1 − R … R − 1, which never fall.</summary>
    /// <param name="reach">R: the longest sequence.</param>
    public static int[] Rows(EncoderConfig config, int reach) =>
    [
        .. Enumerable.Range(1 - reach, (2 * reach) - 1).Select(r =>
            Math.Clamp(Bucket(config, r) + config.DistanceSpan, 0, (2 * config.DistanceSpan) - 1)),
    ];
}
